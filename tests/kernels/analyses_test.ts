import assert from "node:assert/strict";
import { indexGroup } from "../../src/engine/gpu/index_uniform.ts";
import { StructUniform } from "../../src/engine/gpu/struct_uniform.ts";
import { CellSums, LISTS } from "../../src/engine/kernels/cell_sums.ts";
import { HeadParts } from "../../src/engine/kernels/head_parts.ts";
import { BLOCK_MEMBERS, TopTokens } from "../../src/engine/kernels/top_tokens.ts";
import { top } from "../reference/predictions.ts";
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
import { Random } from "../support/random.ts";
import { LAYER_SIZES, randomLayer, SLOT } from "../support/random_layer.ts";

/** Of two, the one that is written. */
const LAYER = 1;

for (const size of LAYER_SIZES) {
  const layer = randomLayer(size);
  const { tokens, heads, channels, stride, trace } = layer;
  const of = `T = ${tokens}, H = ${heads}, D = ${size.headSize}`;
  const fields = { tokens, slot: SLOT, stride };

  Deno.test(`cell_sums of three lists, one of them empty, ${of}`, () =>
    withGpu(async (gpu) => {
      const random = new Random(tokens);
      const cells = Array.from({ length: 70 }, () => {
        const i = random.below(tokens);
        return [i, random.below(i + 1)] as const;
      });
      const ends = [3, 3, cells.length]; // more than a workgroup in the last
      const kernel = await CellSums.create(gpu.device);
      const sums = output(gpu, 2 * heads * LISTS);
      const words = new Uint32Array(cells.flat());
      const groups = [
        [kernel.bind({
          lists: uniformOf(gpu, new Uint32Array([...ends, 0])),
          cells: upload(gpu, new Float32Array(words.buffer)),
          sums,
        })],
        promptOf(gpu, fields),
        [kernel.bind({ patterns: upload(gpu, layer.packed) }), 0],
        indexGroup(gpu.device, LAYER),
      ] as const;
      await run(gpu, (pass) => kernel.dispatch(pass, groups, { heads }));
      const actual = await download(gpu, sums);
      assert(actual.subarray(0, heads * LISTS).every(Number.isNaN), "another layer was written to");
      const expected = Array.from({ length: heads * LISTS }, (_, at) => {
        const [head, list] = [Math.floor(at / LISTS), at % LISTS];
        return cells.slice(ends[list - 1] ?? 0, ends[list]).reduce(
          (sum, [i, j]) => sum + trace.patterns[(head * tokens + i) * tokens + j]!,
          0,
        );
      });
      // Sums of up to 67 numbers below 1. Measured: 2.7e-7 at 33.
      assertClose(actual.subarray(heads * LISTS), expected, { atol: 4e-6 });
    }));

  Deno.test(`head_parts, ${of}`, () =>
    withGpu(async (gpu) => {
      const random = new Random(tokens + 1);
      const directions = random.normals(2 * channels, 0.2);
      const b = random.normals(channels);
      const kernel = await HeadParts.create(gpu.device, { heads, channels });
      const parts = output(gpu, 2 * (heads + 1) * 2);
      const wide = { rows: SLOT + tokens, columns: 3 * channels };
      const operands = kernel.bind({
        directions: upload(gpu, directions),
        qkv: (await Activations.create(gpu, wide, layer.qkv)).view,
        w: (await Activations.create(gpu, { rows: channels, columns: channels }, layer.w)).view,
        b: upload(gpu, b),
        parts,
      });
      const groups = [
        [operands],
        promptOf(gpu, fields),
        [kernel.bind({ patterns: upload(gpu, layer.packed) }), 0],
        indexGroup(gpu.device, LAYER),
      ] as const;
      await run(gpu, (pass) => kernel.dispatch(pass, groups));
      const actual = await download(gpu, parts);
      const begin = 2 * (heads + 1);
      assert(actual.subarray(0, begin).every(Number.isNaN), "another layer was written to");
      const expected = Array.from({ length: begin }, (_, at) => {
        const [head, n] = [Math.floor(at / 2), at % 2];
        let sum = 0;
        for (let c = 0; c < channels; c++) {
          let v = head === heads ? b[c]! : 0;
          for (let j = 0; head < heads && j < tokens; j++) {
            const a = trace.patterns[(head * tokens + tokens - 1) * tokens + j]!;
            v += a * layer.f[(j * heads + head) * channels + c]!;
          }
          sum += v * directions[n * channels + c]!;
        }
        return sum;
      });
      // Sums over 140 channels of numbers of size 1. Measured: 1.3e-6.
      assertClose(actual.subarray(begin), expected, { atol: 1e-5 });
    }));

  Deno.test(`top_tokens over three blocks, in all ids, ${of}`, () =>
    withGpu(async (gpu) => {
      const random = new Random(tokens + 2);
      // Blocks that a row of texels, and all lanes, do not divide; logits that come twice in a row and across blocks.
      const block = 300;
      const vocabulary = 2 * block + 77;
      const k = 70;
      const logits = Float64Array.from(
        { length: tokens * vocabulary },
        () => Math.round(random.normal() * 64) / 4,
      );
      const kernel = await TopTokens.create(gpu.device);
      const width = 2 + 2 * k;
      const tops = output(gpu, 2 * tokens * width);
      const blocks = new StructUniform(gpu.device, {
        label: "test blocks",
        members: BLOCK_MEMBERS,
        most: 3,
      });
      blocks.write([0, 1, 2].map((index) => ({
        first: index * block,
        tokens: Math.min(block, vocabulary - index * block),
        half: index % 2,
        rows: tokens,
        k,
      })));
      for (let index = 0; index < 3; index++) {
        const some = new Float32Array(tokens * block).fill(NaN);
        for (let row = 0; row < tokens; row++) {
          const begin = row * vocabulary + index * block;
          const end = Math.min(begin + block, (row + 1) * vocabulary);
          some.set(logits.subarray(begin, end), row * block);
        }
        const texture = await Activations.create(gpu, { rows: tokens, columns: block }, some);
        const operands = kernel.bind({ logits: texture.view, tops });
        await run(gpu, (pass) =>
          kernel.dispatch(pass, [[operands], blocks.at(index)], { rows: tokens }));
      }
      const numbers = await download(gpu, tops);
      const ids = new Uint32Array(numbers.buffer);
      for (let row = 0; row < tokens; row++) {
        const own = logits.subarray(row * vocabulary, (row + 1) * vocabulary);
        const expected = top(own, k);
        const at = row * width;
        assert.deepEqual(Array.from(ids.subarray(at + 2 + k, at + width)), expected);
        const kept = Array.from(numbers.subarray(at + 2, at + 2 + k));
        assert.deepEqual(
          kept,
          expected.map((id) =>
            own[id]!
          ),
        );
        const largest = own[expected[0]!]!;
        assert.equal(numbers[at], largest);
        const sum = own.reduce((total, logit) => total + Math.exp(logit - largest), 0);
        // A sum of 677 exponents, taken over three times. Measured: 1.2e-7 of itself.
        assertClose([numbers[at + 1]!], [sum], { atol: 0, rtol: 2e-6 });
      }
    }));
}
