import type { InfoFlow } from "../server/answers/info_flow.ts";

/** The numbers as CSV (RFC 4180): a line for each target and source that can feed it, by layer for each layer. */
export async function csvOf(infoFlow: InfoFlow): Promise<string> {
  const { flow } = await infoFlow.compute();
  const isByLayer = infoFlow.axes.includes("layer");
  const tokens = infoFlow.tokens.map(({ text }) => `"${text.replaceAll('"', '""')}"`);
  const P = tokens.length;
  const lines = [
    `${isByLayer ? "layer," : ""}target,target_token,source,source_token,weight`,
  ];
  for (let row = 0; row < flow.length / P; row++) {
    const target = row % P;
    const layer = isByLayer ? `${infoFlow.chosen.layers[Math.floor(row / P)]},` : "";
    for (let source = 0; source <= target; source++) {
      const weight = flow[row * P + source];
      lines.push(`${layer}${target},${tokens[target]},${source},${tokens[source]},${weight}`);
    }
  }
  return lines.join("\r\n");
}

/** The numbers as JSON: tokens, axes, shape, and values nested by axis. */
export async function jsonOf(infoFlow: InfoFlow): Promise<string> {
  const { flow, dropped } = await infoFlow.compute();
  const { axes, shape, tokens, options } = infoFlow;
  return JSON.stringify({
    tokens: tokens.map(({ text }) => text),
    axes,
    shape,
    layers: infoFlow.chosen.layers,
    bos: options.bos,
    values: nested(Array.from(flow), shape),
    dropped: nested(Array.from(dropped), shape.slice(0, -1)),
  });
}

function nested(values: readonly number[], shape: readonly number[]): unknown {
  if (shape.length <= 1) return values;
  const size = values.length / shape[0]!;
  return Array.from(
    { length: shape[0]! },
    (_, index) => nested(values.slice(index * size, (index + 1) * size), shape.slice(1)),
  );
}
