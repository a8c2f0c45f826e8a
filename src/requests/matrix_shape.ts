import { chosenOf } from "./choice.ts";
import type { Heads } from "./flow_options.ts";
import { type FlowMatrix, isByHead, keptFrom, type MatrixOptions, spanOf } from "./flow_options.ts";

/** The axes and the shape of a matrix, before it is computed. */
export function flowShape(
  options: MatrixOptions,
  { tokens, ...model }: Heads & { readonly tokens: number },
): Pick<FlowMatrix, "axes" | "shape"> {
  const chosen = chosenOf(options, model);
  const [layers, heads] = [chosen.layers.length, chosen.heads.length];
  const cells = Math.ceil((tokens - keptFrom(options)) / spanOf(options, tokens));
  if (isByHead(options)) {
    const rows = options.targets?.length ?? cells;
    return { axes: ["layer", "head", "target", "source"], shape: [layers, heads, rows, cells] };
  }
  return options.byLayer
    ? { axes: ["layer", "target", "source"], shape: [layers, cells, cells] }
    : { axes: ["target", "source"], shape: [cells, cells] };
}
