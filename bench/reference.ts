import type { Architecture } from "../src/requests/architecture/architecture.ts";
import { flow } from "../tests/reference/flow.ts";
import { forward } from "../tests/reference/gpt2.ts";
import { float32, safetensors, type Tensor } from "../tests/support/write_checkpoint.ts";

/** Writes what float64 makes of a prompt, as `case.ts` reads it. */
export async function writeReference(
  path: string,
  { architecture, tensors, tokens }: {
    readonly architecture: Architecture;
    readonly tensors: ReadonlyMap<string, Tensor>;
    readonly tokens: number;
  },
): Promise<void> {
  const { layers, heads, vocabulary } = architecture;
  const walk = Array.from({ length: tokens - 1 }, (_, i) => (7919 * (i + 1) + 13) % vocabulary);
  const ids = [vocabulary - 1, ...walk];
  const weights = new Map(
    Array.from(tensors, ([name, { bytes }]) => [name, new Float32Array(bytes.buffer)]),
  );
  const all = forward(architecture, weights, ids).flatMap(({ patterns }) => [...patterns]);
  const shape = { layers, heads, tokens };
  const byLayer = flow(all, shape, { byLayer: true, aggregation: "MEAN", bos: "DROP" }).flow;
  const written = new Map([
    ["patterns", float32([layers, heads, tokens, tokens], Float32Array.from(all))],
    [
      "info_flow_by_layer",
      float32([layers, tokens - 1, tokens - 1], Float32Array.from(byLayer)),
    ],
  ]);
  await Deno.writeFile(path, safetensors(written, { ids: JSON.stringify(ids) }));
}
