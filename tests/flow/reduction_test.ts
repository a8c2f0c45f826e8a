import assert from "node:assert/strict";
import {
  AGGREGATIONS,
  type AttentionOptions,
  BOS_POLICIES,
  type FlowOptions,
  isByHead,
  keptFrom,
  type MatrixOptions,
  spanOf,
} from "../../src/requests/flow_options.ts";
import { FlowReduction } from "../../src/engine/flow/reduction.ts";
import { HeadMean } from "../../src/engine/kernels/head_mean.ts";
import type { PromptActivations } from "../../src/engine/activations/prompt_activations.ts";
import { rowStart, triangleStride } from "../../src/engine/activations/packed_triangles.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { attention, choose, flow, pooled, type ReferenceFlow } from "../reference/flow.ts";
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

/** The same patterns as an activations has them: packed, with room for more tokens, layers 0 and 1 in one slab, 2 in another. */
async function entryOf(
  gpu: Gpu,
  patterns: Float32Array,
  tokens: number,
): Promise<PromptActivations> {
  const stride = triangleStride(tokens + 9);
  const packed = new Float32Array(layers * heads * stride * 4);
  for (let row = 0; row < layers * heads * tokens; row++) {
    const i = row % tokens;
    const source = patterns.subarray(row * tokens, row * tokens + i + 1);
    packed.set(source, 4 * (Math.floor(row / tokens) * stride + rowStart(i)));
  }
  const mean = output(gpu, layers * stride * 4);
  const headMean = await HeadMean.create(gpu.device, { heads });
  const means = headMean.bind({ patterns: upload(gpu, packed), mean });
  const prompt = promptOf(gpu, { tokens, stride });
  await run(gpu, (pass) => headMean.dispatch(pass, [[means], prompt], { length: stride, layers }));
  const second = 2 * heads * stride * 4;
  const slabs = [
    { buffer: upload(gpu, packed.subarray(0, second)), firstLayer: 0, layers: 2 },
    { buffer: upload(gpu, packed.subarray(second)), firstLayer: 2, layers: 1 },
  ];
  return { stride, mean, slabs } as unknown as PromptActivations;
}

const CHOICES = [{}, { heads: [1, 4] }, { layers: [2] }, { layers: [0, 2], heads: [3] }];

const FLOWS: FlowOptions[] = AGGREGATIONS.flatMap((aggregation) =>
  [false, true].flatMap((byLayer) =>
    BOS_POLICIES.flatMap((bos) =>
      CHOICES.flatMap((choice) =>
        [undefined, 4, 33].map((cells) => ({ aggregation, byLayer, bos, cells, ...choice }))
      )
    )
  )
);

const ATTENTIONS: AttentionOptions[] = BOS_POLICIES.flatMap((bos) =>
  CHOICES.flatMap((choice) =>
    [undefined, 1, 4, 33].map((cells) => ({ byHead: true as const, bos, cells, ...choice }))
  )
);

function expectedOf(patterns: Float32Array, tokens: number, options: MatrixOptions): ReferenceFlow {
  const { layers: l, heads: h, bos } = options;
  const choice = { ...(l && { layers: l }), ...(h && { heads: h }) };
  const chosen = choose(patterns, { layers, heads, tokens }, choice);
  return isByHead(options)
    ? attention(chosen.patterns, chosen.shape, { bos, span: spanOf(options, tokens) })
    : pooled(
      flow(chosen.patterns, chosen.shape, options),
      tokens - keptFrom(options),
      spanOf(options, tokens),
    );
}

for (const tokens of [2, 5, 65]) {
  Deno.test(`matrices of every kind, alone and together, T = ${tokens}`, () =>
    withGpu(async (gpu) => {
      const patterns = somePatterns(tokens);
      const activations = await entryOf(gpu, patterns, tokens);
      const reductions = [...FLOWS, ...ATTENTIONS].map((options) => ({
        activations,
        tokens,
        options,
      }));
      const reduction = await FlowReduction.create(
        gpu.device,
        { layers, heads, context: 1024 },
        reductions.length,
      );
      for (const some of [reductions, ...reductions.map((reduction) => [reduction])]) {
        const prepared = await reduction.prepare(some);
        const prompts = prepared.fields.map((fields) =>
          promptOf(gpu, { tokens, stride: activations.stride, ...fields })
        );
        await run(gpu, (pass) => reduction.encode(pass, prepared, prompts));
        const buffer = await download(gpu, prepared.buffer);
        const numbers = buffer.slice(0, prepared.bytes / 4);
        reduction.split(prepared, numbers).forEach((actual, index) => {
          const { options } = some[index]!;
          const expected = expectedOf(patterns, tokens, options);
          // Sums of 5 heads and 65 sources, and a quotient of them: a few roundings. Measured: 2.2e-7.
          assertClose(actual.flow, expected.flow, { atol: 1e-6 });
          assertClose(actual.dropped, expected.dropped, { atol: 1e-6 });
          checkRows(actual.flow, actual.shape.at(-1)!, options);
        });
      }
    }));
}

Deno.test("a row that BOS has wholly is 0 where BOS is dropped, and dropped says 1", () =>
  withGpu(async (gpu) => {
    const tokens = 3;
    const patterns = somePatterns(tokens);
    patterns.set([1, 0, 0], (heads + 2) * tokens ** 2 + tokens); // layer 1, head 2, target 1
    const activations = await entryOf(gpu, patterns, tokens);
    const reduction = await FlowReduction.create(gpu.device, { layers, heads, context: 1024 }, 2);
    const choice = { bos: "DROP", layers: [1], heads: [2] } as const;
    const options: MatrixOptions[] = [
      { ...choice, byHead: true },
      { ...choice, byLayer: true, aggregation: "MEAN" },
    ];
    const prepared = await reduction.prepare(
      options.map((options) => ({ activations, tokens, options })),
    );
    const prompts = prepared.fields.map((fields) =>
      promptOf(gpu, { tokens, stride: activations.stride, ...fields })
    );
    await run(gpu, (pass) => reduction.encode(pass, prepared, prompts));
    const numbers = (await download(gpu, prepared.buffer)).slice(0, prepared.bytes / 4);
    for (const { flow, dropped } of reduction.split(prepared, numbers)) {
      assert.deepEqual(Array.from(flow.subarray(0, 2)), [0, 0]);
      assert.equal(dropped[0], 1);
      assert(flow.every((number) => !Number.isNaN(number)));
    }
  }));

function checkRows(numbers: Float32Array, positions: number, options: MatrixOptions): void {
  for (let row = 0; row < numbers.length / positions; row++) {
    const cells = numbers.subarray(row * positions, (row + 1) * positions);
    const target = row % positions;
    assert(cells.subarray(target + 1).every((cell) => cell === 0), "something above the diagonal");
    if (!isByHead(options) && options.aggregation === "NOTEBOOK") continue; // its rows don't sum to 1
    assertClose([cells.reduce((a, b) => a + b)], [1], { atol: 1e-5 });
  }
}

Deno.test("head_mean leaves rows before the first alone", () =>
  withGpu(async (gpu) => {
    const [tokens, first] = [14, 6];
    const stride = triangleStride(tokens);
    const packed = new Random(1).normals(layers * heads * stride * 4);
    const mean = output(gpu, layers * stride * 4);
    const headMean = await HeadMean.create(gpu.device, { heads });
    const means = headMean.bind({ patterns: upload(gpu, packed), mean });
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
