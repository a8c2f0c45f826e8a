import assert from "node:assert/strict";
import {
  type Attending,
  AttentionPattern,
  type AttentionStage,
} from "../../src/engine/kernels/attention_pattern.ts";
import { AttentionBroadcast } from "../../src/engine/kernels/attention_broadcast.ts";
import { AttentionRows } from "../../src/engine/kernels/attention_rows.ts";
import { AttentionSubgroups } from "../../src/engine/kernels/attention_subgroups.ts";
import { MixBroadcast } from "../../src/engine/kernels/mix_broadcast.ts";
import { MixTiles } from "../../src/engine/kernels/mix_tiles.ts";
import { type Mixing, MixValues } from "../../src/engine/kernels/mix_values.ts";
import { MixValuesWide } from "../../src/engine/kernels/mix_values_wide.ts";
import {
  triangleStride,
  unpackTriangles,
  VEC4,
} from "../../src/engine/activations/packed_triangles.ts";
import { attentionPattern, mixValues } from "../reference/gpt2.ts";
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
import { packTriangles } from "../support/triangles.ts";

const CASES = [
  { tokens: 1, first: 0, heads: 3, headSize: 4, sharpness: 1 },
  { tokens: 5, first: 0, heads: 2, headSize: 12, sharpness: 1 },
  { tokens: 65, first: 0, heads: 3, headSize: 20, sharpness: 1 },
  // Peaked: scores in the hundreds, where exp of a raw score would overflow.
  { tokens: 65, first: 0, heads: 2, headSize: 8, sharpness: 12 },
  { tokens: 9, first: 0, heads: 2, headSize: 76, sharpness: 1 },
  // A prompt that goes on: only its last targets, which begin in the middle of everything.
  { tokens: 65, first: 22, heads: 3, headSize: 64, sharpness: 1 },
  { tokens: 14, first: 13, heads: 2, headSize: 16, sharpness: 1 },
  { tokens: 257, first: 0, heads: 2, headSize: 24, sharpness: 1 },
  // More sources than a workgroup of attention_rows has invocations for at a time, the last targets alone.
  { tokens: 1101, first: 1090, heads: 1, headSize: 8, sharpness: 1 },
];
const ATTENDING: readonly Attending[] = [
  AttentionPattern,
  AttentionBroadcast,
  AttentionRows,
  AttentionSubgroups,
];
/** What is for llvmpipe has names that tests/gpu/swiftshader_test.ts does not choose. */
const FOR_LLVMPIPE: readonly unknown[] = [AttentionBroadcast, MixBroadcast, MixValuesWide];

/** The row of position 0 in the texture, and of the first target elsewhere. */
const SLOT = 2;
const ROW = 1;

for (const { tokens, first, heads, headSize, sharpness } of CASES) {
  const name =
    `T = ${tokens} from ${first} on, H = ${heads}, D = ${headSize}, sharpness ${sharpness}`;
  const channels = heads * headSize;
  const scale = 1 / Math.sqrt(headSize);
  const stride = triangleStride(tokens);
  const targets = tokens - first;
  const qkv = new Random(tokens + sharpness).normals(tokens * 3 * channels, sharpness);
  const placed = [...new Float32Array(SLOT * 3 * channels), ...qkv];
  const size = { rows: SLOT + tokens + 3, columns: 3 * channels };
  const expected = attentionPattern(qkv, { heads, channels, scale });
  const fields = { tokens, first, slot: SLOT, row: ROW, stride };
  const nameFor = (kernel: Attending | Mixing): string =>
    FOR_LLVMPIPE.includes(kernel) ? name.replace("T = ", "T is ") : name;

  for (const attending of ATTENDING) {
    Deno.test(`${attending.name}, ${nameFor(attending)}`, () =>
      withGpu(async (gpu) => {
        const kernel = await attending.create(gpu.device, { heads, channels });
        const layerBytes = heads * stride * VEC4;
        // Two layers, of which the second is written: the first must stay as it is.
        const patterns = output(gpu, 2 * layerBytes / 4);
        const operands = kernel.bind({
          layer: uniformOf(gpu, new Float32Array([scale])),
          qkv: (await Activations.create(gpu, size, placed)).view,
        });
        const slab = kernel.bind({ patterns: { buffer: patterns, size: layerBytes } });
        const prompt = promptOf(gpu, fields);
        await run(gpu, (pass) =>
          kernel.dispatch(pass, [[operands], prompt, [slab, layerBytes]], { targets }));

        const written = await download(gpu, patterns);
        const [other, layer] = [
          written.subarray(0, layerBytes / 4),
          written.subarray(layerBytes / 4),
        ];
        assert(other.every(Number.isNaN), "the other layer was written to");
        const squares = unpackTriangles(layer, { count: heads, tokens });
        for (let row = 0; row < heads * tokens; row++) {
          const cells = squares.subarray(row * tokens, (row + 1) * tokens);
          if (row % tokens < first) {
            const seen = cells.subarray(0, row % tokens + 1);
            assert(seen.every(Number.isNaN), "a target before the first was written to");
            continue;
          }
          // float32 scores of size s have an error of 2^-24 s sqrt(D), which is the relative error of a probability.
          // Measured: 2.1e-7 for scores of size 1, 1.9e-6 for scores in the hundreds.
          const row64 = expected.subarray(row * tokens, (row + 1) * tokens);
          assertClose(cells, row64, { atol: sharpness === 1 ? 1e-6 : 1e-5 });
          assertClose(
            [cells.reduce((a, b) =>
              a + b
            )],
            [1],
            { atol: 1e-5 },
          );
        }
      }));
  }

  for (const attending of ATTENDING) {
    Deno.test(`${attending.name} in two stages gives the same bits, ${nameFor(attending)}`, () =>
      withGpu(async (gpu) => {
        const bytes = heads * stride * VEC4;
        const view = (await Activations.create(gpu, size, placed)).view;
        const layer = uniformOf(gpu, new Float32Array([scale]));
        const prompt = promptOf(gpu, fields);
        const made = async (...stages: AttentionStage[]): Promise<Float32Array> => {
          const patterns = output(gpu, bytes / 4);
          for (const stage of stages) {
            const kernel = await attending.create(gpu.device, { heads, channels, stage });
            const operands = kernel.bind({ layer, qkv: view });
            const slab = kernel.bind({ patterns });
            await run(
              gpu,
              (pass) => kernel.dispatch(pass, [[operands], prompt, [slab, 0]], { targets }),
            );
          }
          return await download(gpu, patterns);
        };
        assert.deepEqual(await made("scores", "softmax"), await made("all"));
      }));
  }

  for (const mixing of [MixValues, MixValuesWide, MixBroadcast, MixTiles]) {
    Deno.test(`${mixing.name}, ${nameFor(mixing)}`, () =>
      withGpu(async (gpu) => {
        const packed = packTriangles(expected, { count: heads, tokens, stride });
        const kernel = await mixing.create(gpu.device, { heads, channels });
        const z = await Activations.create(gpu, { rows: ROW + targets + 1, columns: channels });
        const operands = kernel.bind({
          qkv: (await Activations.create(gpu, size, placed)).view,
          z: z.view,
        });
        const slab = kernel.bind({ patterns: upload(gpu, packed) });
        const prompt = promptOf(gpu, fields);
        await run(
          gpu,
          (pass) => kernel.dispatch(pass, [[operands], prompt, [slab, 0]], { targets }),
        );

        const rows = await z.download();
        const actual = rows.subarray(ROW * channels, (ROW + targets) * channels);
        const others = [
          ...rows.subarray(0, ROW * channels),
          ...rows.subarray((ROW + targets) * channels),
        ];
        assert(others.every(Number.isNaN), "another row was written to");
        const all = mixValues(expected, qkv, { heads, channels });
        // Means of values of size `sharpness`: a rounding for each of up to 65. Measured: 1.5e-7 and 3.4e-6.
        assertClose(actual, all.subarray(first * channels), { atol: 1e-6 * sharpness });
      }));
  }
}
