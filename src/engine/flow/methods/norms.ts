import { GrowingBuffer } from "../../gpu/growing_buffer.ts";
import { HeadGram } from "../../kernels/head_gram.ts";
import { MeasureNorms, type NormKind } from "../../kernels/measure_norms.ts";
import type { MethodKernels, MethodTools } from "./method_kernels.ts";

/** VALUE_NORM, ATTENTION_NORM and ATTENTION_RESIDUAL: norms of head outputs, from their scalar products. */
export async function norms(
  { device, architecture: { heads, channels }, writes }: MethodTools,
  kind: NormKind,
): Promise<MethodKernels> {
  const vectors = kind === "residual" ? heads + 1 : heads;
  const headGram = await HeadGram.create(device, { heads, channels, vectors });
  const measure = await MeasureNorms.create(device, { heads, vectors, kind });
  const grams = new GrowingBuffer(device, "products of head outputs");
  return {
    prepare: async ({ tokens }) => {
      await grams.atLeast(tokens * vectors ** 2 * Float32Array.BYTES_PER_ELEMENT);
    },
    encode: (pass, measured, { layer, x, patterns, matrix }) => {
      const { tokens, prompt } = measured;
      const f = writes.encode(pass, measured, layer);
      const gram = grams.buffer!;
      headGram.dispatch(pass, [[headGram.bind({ f, x, gram })]], { tokens });
      measure.dispatch(pass, [
        [measure.bind({ gram })],
        prompt,
        [measure.bind({ patterns: patterns.bound }), patterns.offset],
        [measure.bind({ matrix: matrix.bound }), matrix.offset],
      ], { tokens });
    },
  };
}
