// What changes a run on its way, kernel by kernel, at T = 1, 5 and 65: only what is named is changed, all else is as it
// was to the bit.
import assert from "node:assert/strict";
import { rowStart, triangleStride, VEC4 } from "../../src/engine/activations/packed_triangles.ts";
import { makeUniform } from "../../src/engine/gpu/uniform.ts";
import { AddRows } from "../../src/engine/kernels/add_rows.ts";
import { AttentionPattern } from "../../src/engine/kernels/attention_pattern.ts";
import { EditPatterns } from "../../src/engine/kernels/edit_patterns.ts";
import { EDIT_ACTIONS, EditRows, UNCHANGED } from "../../src/engine/kernels/edit_rows.ts";
import { MeanRows } from "../../src/engine/kernels/mean_rows.ts";
import { assertClose } from "../support/assert_close.ts";
import {
  Activations,
  download,
  output,
  promptOf,
  run,
  uniformOf,
  upload,
  withGpu,
} from "../support/gpu.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { Random } from "../support/random.ts";

const LOWEST = Math.fround(-3e38);
const ACTIONS = Object.keys(EDIT_ACTIONS) as (keyof typeof EDIT_ACTIONS)[];

function listOf({ device }: Gpu, numbers: readonly number[]): GPUBuffer {
  const words = Uint32Array.from(numbers);
  const buffer = device.createBuffer({
    label: "test list",
    size: Math.max(16, words.byteLength),
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(buffer, 0, words);
  return buffer;
}

function editOf(gpu: Gpu, words: readonly number[], factor: number): GPUBuffer {
  const edit = new Uint32Array([...words, 0]);
  new Float32Array(edit.buffer)[words.length] = factor;
  return makeUniform(gpu.device, "test edit", edit);
}

/** Each position's decision, one in three is yes, and the last is. */
const some = (count: number): boolean[] =>
  Array.from({ length: count }, (_, at) => at % 3 === 1 || at === count - 1);

for (const tokens of [1, 5, 65]) {
  for (const action of ACTIONS.filter((it) => it !== "BLOCK")) {
    Deno.test(`edit_rows, ${action}, T = ${tokens}`, () =>
      withGpu(async (gpu) => {
        const [heads, width, column, row] = [3, 8, 4, 2];
        const first = Math.min(2, tokens - 1);
        const [channels, rows] = [heads * width, tokens - first];
        const random = new Random(tokens);
        const site = { rows: row + rows + 1, columns: column + channels + 4 };
        const before = random.normals(site.rows * site.columns, 1);
        const at = (t: number, c: number): number => (row + t - first) * site.columns + column + c;
        const x = Array.from({ length: rows * channels }, (_, i) =>
          before[at(first + Math.floor(i / channels), i % channels)]!);
        const s = random.normals((tokens + 3) * channels, 1);
        const sources = some(tokens).map((isYes, t) =>
          isYes ? (t * 7) % (tokens + 3) : UNCHANGED
        );
        const changed = [1, 0, 1];
        const kernel = await EditRows.create(gpu.device);
        const y = await Activations.create(gpu, site, before);
        const words = [EDIT_ACTIONS[action], first, column / 4, row, width / 4, channels / 4];
        const group = kernel.bind({
          edit: editOf(gpu, words, -1.5),
          rows: listOf(gpu, sources),
          heads: listOf(gpu, changed),
          x: (await Activations.create(gpu, { rows, columns: channels }, x)).view,
          s: (await Activations.create(gpu, { rows: tokens + 3, columns: channels }, s)).view,
          y: y.view,
        });
        const work = { texels: channels / 4, rows };
        await run(gpu, (pass) => kernel.dispatch(pass, [[group]], work));
        const expected = Float32Array.from(before);
        for (let t = first; t < tokens; t++) {
          for (let c = 0; c < channels; c++) {
            if (sources[t] === UNCHANGED || changed[Math.floor(c / width)] === 0) continue;
            const [value, other] = [before[at(t, c)]!, s[sources[t]! * channels + c]!];
            expected[at(t, c)] = {
              ZERO: 0,
              SCALE: value * -1.5,
              ADD: value + other,
              REPLACE: other,
              BLOCK: NaN,
            }[action];
          }
        }
        assert.deepEqual(await y.download(), expected);
      }));
  }

  for (const action of ACTIONS.filter((it) => it !== "ADD")) {
    Deno.test(`edit_patterns, ${action}, T = ${tokens}`, () =>
      withGpu(async (gpu) => {
        const heads = 3;
        const first = Math.min(1, tokens - 1);
        const [stride, other] = [triangleStride(tokens + 5), triangleStride(tokens)];
        const random = new Random(tokens);
        const before = Float32Array.from(random.normals(heads * stride * 4, 1));
        const s = Float32Array.from(random.normals(heads * other * 4, 1));
        before[4 * rowStart(tokens - 1)] = LOWEST; // it was blocked: scaled it is so still
        const sources = some(4 * Math.ceil(tokens / 4)).map((isYes, j) => isYes || j === 0);
        const targets = some(tokens);
        const kernel = await EditPatterns.create(gpu.device);
        const patterns = upload(gpu, before);
        const bits = (list: readonly boolean[]): number[] => list.map(Number);
        const group = kernel.bind({
          edit: editOf(gpu, [EDIT_ACTIONS[action], other], 0.25),
          heads: listOf(gpu, [1, 0, 1]),
          targets: listOf(gpu, bits(targets)),
          sources: listOf(gpu, bits(sources)),
          s: upload(gpu, s),
          patterns,
        });
        const prompt = promptOf(gpu, { tokens, first, stride });
        await run(gpu, (pass) => kernel.dispatch(pass, [[group], prompt], { tokens, heads }));
        const expected = before.slice();
        for (const h of [0, 2]) {
          for (let i = first; i < tokens; i++) {
            for (let j = 0; j <= i; j++) {
              if (!targets[i] || !sources[j]) continue;
              const at = 4 * (h * stride + rowStart(i)) + j;
              const donor = s[4 * (h * other + rowStart(i)) + j]!;
              const scaled = before[at] === LOWEST ? LOWEST : before[at]! * 0.25;
              expected[at] = { ZERO: 0, SCALE: scaled, BLOCK: LOWEST, REPLACE: donor, ADD: NaN }[
                action
              ];
            }
          }
        }
        assert.deepEqual(await download(gpu, patterns), expected);
      }));
  }

  Deno.test(`mean_rows and add_rows, T = ${tokens}`, () =>
    withGpu(async (gpu) => {
      const columns = 260; // more texels than a workgroup has invocations
      const random = new Random(tokens);
      const [a, b] = [0, 1].map(() => Float32Array.from(random.normals(tokens * columns, 1)));
      const of = (numbers: Float32Array): Promise<Activations> =>
        Activations.create(gpu, { rows: tokens, columns }, numbers);
      const [x, other] = [await of(a!), await of(b!)];
      const first = Math.min(1, tokens - 1);
      const mean = await Activations.create(gpu, { rows: 2, columns });
      const meanRows = await MeanRows.create(gpu.device, { channels: columns });
      const positions = uniformOf(gpu, new Uint32Array([first, tokens]));
      const averaged = meanRows.bind({ positions, x: x.view, y: mean.view });
      await run(gpu, (pass) => meanRows.dispatch(pass, [[averaged]], {}));
      const found = await mean.download();
      const expected = Array.from({ length: columns }, (_, c) => {
        let sum = 0;
        for (let t = first; t < tokens; t++) sum += a![t * columns + c]!;
        return sum / (tokens - first);
      });
      // Sums of up to 64 numbers of size 1. Measured: 2e-7.
      assertClose(found.subarray(0, columns), expected, { atol: 2e-6 });
      assert(found.subarray(columns).every(Number.isNaN), "another row was written to");

      const y = await Activations.create(gpu, { rows: tokens + 1, columns });
      const addRows = await AddRows.create(gpu.device, { channels: columns });
      const operands = addRows.bind({ a: x.view, b: other.view, y: y.view });
      await run(gpu, (pass) => addRows.dispatch(pass, [[operands]], { rows: tokens }));
      const sums = await y.download();
      const wanted = Float32Array.from(a!, (v, i) => v + b![i]!);
      assert.deepEqual(sums.slice(0, wanted.length), wanted);
      assert(sums.subarray(wanted.length).every(Number.isNaN), "another row was written to");
    }));

  Deno.test(`attention_pattern in two stages is attention_pattern, to the bit, T = ${tokens}`, () =>
    withGpu(async (gpu) => {
      const shape = { heads: 2, channels: 24 };
      const random = new Random(tokens);
      const qkv = random.normals(tokens * 3 * shape.channels, 2);
      const stride = triangleStride(tokens);
      const layer = uniformOf(gpu, new Float32Array([0.3]));
      const size = { rows: tokens, columns: 3 * shape.channels };
      const view = (await Activations.create(gpu, size, qkv)).view;
      const made = async (...stages: readonly ("all" | "scores" | "softmax")[]) => {
        const patterns = output(gpu, shape.heads * stride * 4);
        for (const stage of stages) {
          const kernel = await AttentionPattern.create(gpu.device, { ...shape, stage });
          const groups = [
            [kernel.bind({ layer, qkv: view })],
            promptOf(gpu, { tokens, stride }),
            [kernel.bind({ patterns: { buffer: patterns, size: shape.heads * stride * VEC4 } }), 0],
          ] as const;
          await run(gpu, (pass) => kernel.dispatch(pass, groups, { targets: tokens }));
        }
        return await download(gpu, patterns);
      };
      assert.deepEqual(await made("scores", "softmax"), await made("all"));
    }));
}
