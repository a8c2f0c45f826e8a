import assert from "node:assert/strict";
import { rowStart, triangleStride } from "../../src/engine/activations/packed_triangles.ts";
import { FlowDistances } from "../../src/engine/kernels/flow_distances.ts";
import { HeadStatisticsKernel, TOP } from "../../src/engine/kernels/head_statistics.ts";
import { PromptUniform } from "../../src/engine/kernels/prompt.ts";
import {
  EXAMPLES,
  PartialStatistics,
} from "../../src/requests/head_statistics/partial_statistics.ts";
import { earlierOccurrences } from "../../src/requests/head_statistics/occurrences.ts";
import { flowSlots, headSlots } from "../../src/requests/head_statistics/head_sums.ts";
import { finishStatistics } from "../../src/requests/head_statistics/statistics.ts";
import { headStatistics, type PatternsOfPrompt } from "../reference/head_statistics.ts";
import { assertClose } from "../support/assert_close.ts";
import { download, run, upload, withGpu } from "../support/gpu.ts";
import { Random } from "../support/random.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";

const SIZES = { layers: 2, heads: 3, context: 256 };

/** Prompts of random ids, few enough to come again, and random patterns, some of them peaked. */
function promptsOf(lengths: readonly number[], sharpness: number): PatternsOfPrompt[] {
  const random = new Random(lengths.length + sharpness);
  const { layers: L, heads: H } = SIZES;
  return lengths.map((T, index) => {
    const patterns = new Float32Array(L * H * T * T);
    for (let row = 0; row < L * H * T; row++) {
      const seen = patterns.subarray(row * T, row * T + row % T + 1);
      const scores = random.normals(seen.length, sharpness);
      const largest = Math.max(...scores);
      const exps = scores.map((score) => Math.exp(score - largest));
      const sum = exps.reduce((a, b) => a + b);
      seen.set(exps.map((e) => e / sum));
    }
    const ids = Array.from({ length: T }, (_, i) => i === 0 ? 99 : random.below(5));
    return { index, ids, patterns };
  });
}

function pack(patterns: ArrayLike<number>, T: number): Float32Array {
  const stride = triangleStride(T);
  const count = patterns.length / (T * T);
  const packed = new Float32Array(count * stride * 4);
  for (let n = 0; n < count; n++) {
    for (let i = 0; i < T; i++) {
      for (let j = 0; j <= i; j++) {
        packed[4 * (n * stride + rowStart(i)) + j] = patterns[(n * T + i) * T + j]!;
      }
    }
  }
  return packed;
}

function meanOverHeads({ ids: { length: T }, patterns }: PatternsOfPrompt): Float32Array {
  const { layers: L, heads: H } = SIZES;
  return Float32Array.from({ length: L * T * T }, (_, at) => {
    const [l, cell] = [Math.floor(at / (T * T)), at % (T * T)];
    let sum = 0;
    for (let h = 0; h < H; h++) sum += patterns[(l * H + h) * T * T + cell]!;
    return sum / H;
  });
}

/** Sums prompts on the device, one after the other, layers in two slabs. */
async function sumOnDevice(
  gpu: Gpu,
  prompts: readonly PatternsOfPrompt[],
): Promise<PartialStatistics> {
  const { device } = gpu;
  const kernel = await HeadStatisticsKernel.create(device, SIZES);
  const distances = await FlowDistances.create(device);
  const zeros = (words: number): GPUBuffer => upload(gpu, new Float32Array(words));
  const sums = zeros(2 * headSlots(SIZES));
  const flows = zeros(2 * flowSlots(SIZES));
  const tops = zeros(2 * prompts.length * SIZES.layers * SIZES.heads * TOP);
  const all = prompts.flatMap(({ ids }) => [...earlierOccurrences(ids)]);
  const earlier = zeros(all.length);
  device.queue.writeBuffer(earlier, 0, Int32Array.from(all));
  const uniforms = new PromptUniform(device, 2 * prompts.length);
  let row = 0;
  uniforms.write(prompts.flatMap(({ ids }, slot) => {
    const stride = triangleStride(ids.length);
    const fields = { tokens: ids.length, slot, row, stride, layers: SIZES.layers };
    row += ids.length;
    return [{ ...fields, result: 0 }, { ...fields, result: 1 }];
  }));
  await run(gpu, (pass) => {
    prompts.forEach((prompt, slot) => {
      const { ids: { length: T }, patterns } = prompt;
      const half = patterns.length / 2;
      [0, 1].forEach((layer) => {
        const packed = pack(Array.from(patterns).slice(layer * half, (layer + 1) * half), T);
        const cells = upload(gpu, packed);
        const group = kernel.bind({ patterns: cells, cells, earlier, totals: sums, tops });
        kernel.dispatch(pass, [[group], uniforms.at(2 * slot + layer)], { ...SIZES, layers: 1 });
      });
      const group = distances.bind({
        mean: upload(gpu, pack(meanOverHeads(prompt), T)),
        sums: flows,
      });
      distances.dispatch(pass, [[group], uniforms.at(2 * slot)], SIZES);
    });
  });
  const partial = new PartialStatistics(SIZES, EXAMPLES);
  const bytes = async (buffer: GPUBuffer): Promise<ArrayBuffer> =>
    (await download(gpu, buffer)).buffer as ArrayBuffer;
  partial.add(prompts.map(({ index, ids }) => ({ row: index, ids })), {
    sums: new BigUint64Array(await bytes(sums)),
    flows: new BigUint64Array(await bytes(flows)),
    tops: await bytes(tops),
  });
  return partial;
}

for (
  const { lengths, sharpness } of [
    { lengths: [1], sharpness: 1 },
    { lengths: [2], sharpness: 1 },
    { lengths: [5, 33, 1, 65], sharpness: 1 },
    { lengths: [65, 130, 3], sharpness: 12 }, // weights of nearly 0 and of 1
  ]
) {
  Deno.test(`head_statistics of prompts of ${lengths} tokens, sharpness ${sharpness}`, () =>
    withGpu(async (gpu) => {
      const prompts = promptsOf(lengths, sharpness);
      const partial = await sumOnDevice(gpu, prompts);
      const expected = headStatistics(prompts, SIZES);
      const heads = finishStatistics(partial);
      if (partial.targets === 0) {
        assert(Object.values(heads[0]!.values).every((value) => value === null));
        return;
      }
      const tolerances: Record<string, number> = {
        // Rounding to 2^-16 and float32 sums of up to 130 terms; its square to 2^-16. Measured: 8e-6, 3e-4, 8e-4.
        distance_mean: 3e-5,
        distance_no_bos: 3e-5,
        distance_variance: 1e-3,
        qk_distance: 3e-5,
        qk_distance_variance: 3e-3,
      };
      for (const name of Object.keys(heads[0]!.values)) {
        const own = name.replace(/_(mean|variance)$/, ".$1");
        const numbers = expected.get(name) ?? expected.get(own);
        const actual = heads.map(({ values }) => values[name] ?? NaN);
        if (Number.isNaN(numbers![0])) assert(actual.every(Number.isNaN), name);
        // Weights are rounded to 2^-24, entropies to 2^-21. Measured: 4e-7.
        else assertClose(actual, numbers!, { atol: tolerances[name] ?? 2e-6 });
      }
      const present = (list: readonly (number | null)[]): number[] => list.map((it) => it ?? NaN);
      for (
        const [name, actual] of [
          ["by_distance", heads.flatMap(({ byDistance }) => present(byDistance))],
          ["by_distance_no_bos", heads.flatMap((it) => present(it.byDistanceNoBos))],
          [
            "flow_by_distance",
            heads.filter(({ head }) => head === 0).flatMap((it) => present(it.flowByDistance)),
          ],
        ] as const
      ) {
        const numbers = expected.get(name)!;
        assert.equal(actual.length, numbers.length);
        assert.deepEqual(actual.map(Number.isNaN), Array.from(numbers, Number.isNaN), name);
        const isThere = (_: number, at: number): boolean => !Number.isNaN(numbers[at]);
        assertClose(actual.filter(isThere), numbers.filter(isThere), { atol: 1e-6 });
      }
      for (
        const [name, lists] of [
          ["examples", heads.map(({ examples }) => examples)],
          ["examples_by_prompt", heads.map(({ examplesByPrompt }) => examplesByPrompt)],
        ] as const
      ) {
        lists.forEach((list, n) =>
          list.forEach(({ prompt, target, source, weight }, rank) => {
            const at = n * EXAMPLES + rank;
            assert.equal(weight, expected.get(`${name}.weight`)![at], `${name} of head ${n}`);
            const place = expected.get(`${name}.where`)!.subarray(3 * at, 3 * at + 3);
            assert.deepEqual([prompt, target, source], [...place], `${name} of head ${n}`);
          })
        );
      }
    }));
}

Deno.test("sums of prompts don't depend on their order or on how they are split", () =>
  withGpu(async (gpu) => {
    const prompts = promptsOf([5, 33, 2, 65, 17, 40], 3);
    const text = async (some: readonly PatternsOfPrompt[][]): Promise<string> => {
      const all = new PartialStatistics(SIZES, EXAMPLES);
      for (const part of some) all.merge(await sumOnDevice(gpu, part));
      return JSON.stringify(all);
    };
    const [a, b, c, d, e, f] = prompts as [
      PatternsOfPrompt,
      PatternsOfPrompt,
      PatternsOfPrompt,
      PatternsOfPrompt,
      PatternsOfPrompt,
      PatternsOfPrompt,
    ];
    const whole = await text([[a, b, c, d, e, f]]);
    assert.equal(await text([[f, e], [d, c, b, a]]), whole);
    assert.equal(await text([[c], [a, f], [e], [b, d]]), whole);
    const stored = PartialStatistics.fromJSON(JSON.parse(whole));
    assert.equal(JSON.stringify(stored), whole);
  }));
