import assert from "node:assert/strict";
import { AGGREGATIONS, BOS_POLICIES } from "../../src/flow/definitions.ts";
import { FlowReduction } from "../../src/flow/reduction.ts";
import { HeadMean } from "../../src/kernels/head_mean.ts";
import { rowStart, triangleStride, VEC4 } from "../../src/patterns/layout.ts";
import { flow } from "../reference/flow.ts";
import { assertClose } from "../support/assert_close.ts";
import { download, output, promptUniform, run, upload, withGpu } from "../support/gpu.ts";
import { Random } from "../support/random.ts";

const layers = 3;
const heads = 5;

/** Patterns whose rows sum to 1; with every sixth head almost wholly on BOS, as trained models have them. */
function somePatterns(tokens: number): Float32Array {
  const random = new Random(tokens);
  const patterns = new Float32Array(layers * heads * tokens ** 2);
  for (let row = 0; row < layers * heads * tokens; row++) {
    const i = row % tokens;
    const isSink = row % 6 === 0;
    const weights = Array.from(
      { length: i + 1 },
      (_, j) => (isSink && j === 0 ? 1e6 : 1) * random.uniform(),
    );
    const sum = weights.reduce((a, b) => a + b);
    patterns.set(weights.map((weight) => weight / sum), row * tokens);
  }
  return patterns;
}

for (const tokens of [2, 5, 65]) {
  Deno.test(`flows of every kind, T = ${tokens}`, () =>
    withGpu(async (gpu) => {
      const patterns = somePatterns(tokens);
      const stride = triangleStride(tokens);
      const packed = new Float32Array(layers * heads * stride * 4);
      for (let row = 0; row < layers * heads * tokens; row++) {
        const i = row % tokens;
        const source = patterns.subarray(row * tokens, row * tokens + i + 1);
        packed.set(source, 4 * (Math.floor(row / tokens) * stride + rowStart(i)));
      }
      const layerBytes = heads * stride * VEC4;
      const buffer = upload(gpu, packed, { columns: packed.length });
      const mean = output(gpu, layers * stride * 4);
      const entry = {
        tokens,
        stride,
        layerBytes,
        slabs: [{ buffer, firstLayer: 0, layers }],
        mean,
        bytes: 0,
        destroy: () => {},
      };
      const prompt = promptUniform(gpu, [tokens, stride, 0]);
      const headMean = await HeadMean.create(gpu.device, heads);
      const means = headMean.bind({ prompt, patterns: buffer, mean, offset: 0 });
      await run(gpu, (pass) => headMean.dispatch(pass, means, { length: stride, layers }));

      const reduction = await FlowReduction.create(gpu.device, { layers, prompt });
      for (const aggregation of AGGREGATIONS) {
        for (const byLayer of [false, true]) {
          for (const bos of BOS_POLICIES) {
            const options = { aggregation, byLayer, bos };
            const first = bos === "DROP" ? 1 : 0;
            gpu.device.queue.writeBuffer(prompt, 8, new Uint32Array([first]));
            const result = await reduction.prepare(entry, options);
            await run(gpu, (pass) => result.encode(pass));
            const { buffer: flows, bytes } = result.parts[0]!;
            const numbers = (await download(gpu, flows)).subarray(0, bytes / 4);

            const expected = flow(patterns, { layers, heads, tokens }, options);
            const name = JSON.stringify(options);
            assert.equal(numbers.length, expected.flow.length + expected.dropped.length, name);
            // Sums of 5 heads and 65 sources, and a quotient of them: a few roundings. Measured: 1.3e-7.
            assertClose(numbers.subarray(0, expected.flow.length), expected.flow, { atol: 1e-6 });
            assertClose(numbers.subarray(expected.flow.length), expected.dropped, { atol: 1e-6 });
            checkRows(numbers.subarray(0, expected.flow.length), tokens - first, aggregation);
          }
        }
      }
    }));
}

function checkRows(numbers: Float32Array, positions: number, aggregation: string): void {
  for (let row = 0; row < numbers.length / positions; row++) {
    const cells = numbers.subarray(row * positions, (row + 1) * positions);
    const target = row % positions;
    assert(cells.subarray(target + 1).every((cell) => cell === 0), "something above the diagonal");
    if (aggregation === "NOTEBOOK") continue; // its rows don't sum to 1
    assertClose([cells.reduce((a, b) => a + b)], [1], { atol: 1e-5 });
  }
}
