import assert from "node:assert/strict";
import { AttentionPattern } from "../../src/kernels/attention_pattern.ts";
import { rowStride, TILE_ROWS } from "../../src/kernels/linear.ts";
import { MixValues } from "../../src/kernels/mix_values.ts";
import { triangleStride, unpackTriangles, VEC4 } from "../../src/patterns/layout.ts";
import { attentionPattern, mixValues } from "../reference/gpt2.ts";
import { assertClose } from "../support/assert_close.ts";
import { download, output, promptUniform, run, unpad, upload, withGpu } from "../support/gpu.ts";
import { Random } from "../support/random.ts";

const CASES = [
  { tokens: 1, heads: 3, headSize: 4, sharpness: 1 },
  { tokens: 5, heads: 2, headSize: 12, sharpness: 1 },
  { tokens: 65, heads: 3, headSize: 20, sharpness: 1 },
  // Peaked: scores in the hundreds, where exp of a raw score would overflow.
  { tokens: 65, heads: 2, headSize: 8, sharpness: 12 },
];

for (const { tokens, heads, headSize, sharpness } of CASES) {
  const name = `T = ${tokens}, H = ${heads}, D = ${headSize}, sharpness ${sharpness}`;
  const channels = heads * headSize;
  const scale = 1 / Math.sqrt(headSize);
  const stride = rowStride(3 * channels);
  const rows = Math.ceil(tokens / TILE_ROWS) * TILE_ROWS;
  const triangle = triangleStride(tokens);
  const qkv = new Random(tokens + sharpness).normals(tokens * 3 * channels, sharpness);
  const expected = attentionPattern(qkv, { heads, channels, scale });

  Deno.test(`attention_pattern, ${name}`, () =>
    withGpu(async (gpu) => {
      const { device } = gpu;
      const layer = device.createBuffer({
        label: "layer",
        size: 16,
        usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
      });
      device.queue.writeBuffer(layer, 0, new Float32Array([scale]));
      const kernel = await AttentionPattern.create(device, { heads, channels });
      const layerBytes = heads * triangle * VEC4;
      // Two layers, of which the second is written: the first must stay as it is.
      const patterns = output(gpu, 2 * layerBytes / 4);
      const operands = kernel.bind({
        prompt: promptUniform(gpu, [tokens, triangle]),
        layer,
        qkv: upload(gpu, qkv, { columns: 3 * channels, stride, rows }),
      });
      const slab = kernel.bindPatterns(patterns, layerBytes);
      await run(gpu, (pass) =>
        kernel.dispatch(pass, [operands, slab], { tokens, offset: layerBytes }));

      const written = await download(gpu, patterns);
      assert(
        written.subarray(0, layerBytes / 4).every(Number.isNaN),
        "the other layer was written to",
      );
      for (let h = 0; h < heads; h++) {
        const begin = layerBytes / 4 + 4 * h * triangle;
        const packed = written.subarray(begin, begin + 4 * triangle);
        const square = unpackTriangles(packed, { count: 1, tokens });
        const head = expected.subarray(h * tokens ** 2, (h + 1) * tokens ** 2);
        // float32 scores of size s have an error of 2^-24 s sqrt(D), which is the relative error of a probability.
        // Measured: 2.1e-7 for scores of size 1, 1.9e-6 for scores in the hundreds.
        assertClose(square, head, { atol: sharpness === 1 ? 1e-6 : 1e-5 });
        for (let i = 0; i < tokens; i++) {
          const row = square.subarray(i * tokens, (i + 1) * tokens);
          assertClose(
            [row.reduce((a, b) =>
              a + b
            )],
            [1],
            { atol: 1e-5 },
          );
        }
      }
    }));

  Deno.test(`mix_values, ${name}`, () =>
    withGpu(async (gpu) => {
      const packed = pack(expected, { heads, tokens, triangle });
      const kernel = await MixValues.create(gpu.device, { heads, channels });
      const zStride = rowStride(channels);
      const z = output(gpu, rows * zStride);
      const operands = kernel.bind({
        prompt: promptUniform(gpu, [tokens, triangle]),
        qkv: upload(gpu, qkv, { columns: 3 * channels, stride, rows }),
        z,
      });
      const slab = kernel.bindPatterns(
        upload(gpu, packed, { columns: packed.length }),
        packed.byteLength,
      );
      await run(gpu, (pass) => kernel.dispatch(pass, [operands, slab], { tokens, offset: 0 }));

      const actual = unpad(await download(gpu, z), {
        rows: tokens,
        columns: channels,
        stride: zStride,
      });
      // Means of values of size `sharpness`: a rounding for each of up to 65. Measured: 1.5e-7 and 3.4e-6.
      assertClose(actual, mixValues(expected, qkv, { heads, channels }), {
        atol: 1e-6 * sharpness,
      });
    }));
}

/** Packs (H, T, T) as the cache has it. */
function pack(
  patterns: Float64Array,
  { heads, tokens, triangle }: { heads: number; tokens: number; triangle: number },
): Float32Array {
  const packed = new Float32Array(heads * triangle * 4);
  for (let h = 0; h < heads; h++) {
    let at = h * triangle * 4;
    for (let i = 0; i < tokens; i++) {
      const row = patterns.subarray((h * tokens + i) * tokens, (h * tokens + i) * tokens + i + 1);
      packed.set(row, at);
      at += 4 * Math.ceil((i + 1) / 4);
    }
  }
  return packed;
}
