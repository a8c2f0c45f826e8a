import assert from "node:assert/strict";
import { AGGREGATIONS, BOS_POLICIES } from "../../src/flow/definitions.ts";
import { FlowReduction } from "../../src/flow/reduction.ts";
import { HeadMean } from "../../src/kernels/head_mean.ts";
import type { PatternEntry } from "../../src/patterns/entry.ts";
import { rowStart, triangleStride } from "../../src/patterns/layout.ts";
import { flow } from "../reference/flow.ts";
import { assertClose } from "../support/assert_close.ts";
import { download, output, promptOf, run, upload, withGpu } from "../support/gpu.ts";
import { Random } from "../support/random.ts";

const layers = 3;
const heads = 5;

/** Patterns whose rows sum to 1; every sixth row is almost wholly on BOS, as trained models have them. */
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

const KINDS = AGGREGATIONS.flatMap((aggregation) =>
  [false, true].flatMap((byLayer) => BOS_POLICIES.map((bos) => ({ aggregation, byLayer, bos })))
);

for (const tokens of [2, 5, 65]) {
  Deno.test(`flows of every kind, alone and together, T = ${tokens}`, () =>
    withGpu(async (gpu) => {
      const patterns = somePatterns(tokens);
      // An entry with room for more than the prompt.
      const stride = triangleStride(tokens + 9);
      const packed = new Float32Array(layers * heads * stride * 4);
      for (let row = 0; row < layers * heads * tokens; row++) {
        const i = row % tokens;
        const source = patterns.subarray(row * tokens, row * tokens + i + 1);
        packed.set(source, 4 * (Math.floor(row / tokens) * stride + rowStart(i)));
      }
      const mean = output(gpu, layers * stride * 4);
      const headMean = await HeadMean.create(gpu.device, heads);
      const means = headMean.bind({ patterns: upload(gpu, packed), mean, offset: 0 });
      const prompt = promptOf(gpu, { tokens, stride });
      await run(gpu, (pass) =>
        headMean.dispatch(pass, [[means], prompt], { length: stride, layers }));

      const reduction = await FlowReduction.create(gpu.device, layers);
      const entry = { stride, mean } as PatternEntry;
      const jobs = KINDS.map((options) => ({ entry, tokens, options }));
      for (const some of [jobs, ...jobs.map((job) => [job])]) {
        const prepared = await reduction.prepare(some);
        const prompts = prepared.fields.map((fields) =>
          promptOf(gpu, { tokens, stride, ...fields })
        );
        await run(gpu, (pass) => reduction.encode(pass, prepared, prompts));
        const buffer = await download(gpu, prepared.buffer);
        const numbers = buffer.slice(0, prepared.bytes / 4);
        reduction.split(prepared, numbers).forEach((actual, index) => {
          const { options } = some[index]!;
          const expected = flow(patterns, { layers, heads, tokens }, options);
          // Sums of 5 heads and 65 sources, and a quotient of them: a few roundings. Measured: 1.3e-7.
          assertClose(actual.flow, expected.flow, { atol: 1e-6 });
          assertClose(actual.dropped, expected.dropped, { atol: 1e-6 });
          checkRows(actual.flow, actual.shape.at(-1)!, options.aggregation);
        });
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

Deno.test("head_mean leaves rows before the first alone", () =>
  withGpu(async (gpu) => {
    const [tokens, first] = [14, 6];
    const stride = triangleStride(tokens);
    const packed = new Random(1).normals(layers * heads * stride * 4);
    const mean = output(gpu, layers * stride * 4);
    const headMean = await HeadMean.create(gpu.device, heads);
    const means = headMean.bind({ patterns: upload(gpu, packed), mean, offset: 0 });
    const prompt = promptOf(gpu, { tokens, first, stride });
    const length = stride - rowStart(first);
    await run(gpu, (pass) => headMean.dispatch(pass, [[means], prompt], { length, layers }));
    const numbers = await download(gpu, mean);
    for (let layer = 0; layer < layers; layer++) {
      const begin = layer * stride * 4;
      const before = numbers.subarray(begin, begin + 4 * rowStart(first));
      const after = numbers.subarray(begin + 4 * rowStart(first), begin + 4 * stride);
      assert(before.every(Number.isNaN));
      assert(!after.some(Number.isNaN));
    }
  }));
