import assert from "node:assert/strict";
import {
  ALL_HEADS,
  HEAD_ACTIONS,
  PATCHED_ROW_MEMBERS,
  PatchedAttention,
} from "../../src/engine/kernels/patched_attention.ts";
import { assertClose } from "../support/assert_close.ts";
import { Activations, run, uniformOf, withGpu } from "../support/gpu.ts";
import { Random } from "../support/random.ts";

/** A row as the shader has it. */
type Row = Record<typeof PATCHED_ROW_MEMBERS[number], number>;

/** z of one row, in plain loops. */
function expected(
  row: Row,
  { qkv, heads: H, headSize: D, scale }: {
    qkv: Float32Array;
    heads: number;
    headSize: number;
    scale: number;
  },
): number[] {
  const C = H * D;
  const pattern = (i: number, head: number, isPatched: boolean): number[] => {
    const of = (isOther: boolean): number => isPatched && isOther ? row.other : row.base;
    const q = (of(row.query === 1) + i) * 3 * C + head * D;
    const scores = Array.from({ length: i + 1 }, (_, j) => {
      const k = (of(j >= row.first_key && j < row.end_key) + j) * 3 * C + C + head * D;
      let sum = 0;
      for (let d = 0; d < D; d++) sum += qkv[q + d]! * qkv[k + d]!;
      return sum * scale;
    });
    const largest = Math.max(...scores);
    const exponents = scores.map((score) => Math.exp(score - largest));
    const sum = exponents.reduce((a, b) => a + b);
    return exponents.map((exponent) => exponent / sum);
  };
  return Array.from({ length: C }, (_, c) => {
    const head = Math.floor(c / D);
    const isPatched = row.head === ALL_HEADS || row.head === head;
    if (isPatched && row.action === HEAD_ACTIONS.ZERO) return 0;
    const mixed = (i: number): number =>
      pattern(i, head, isPatched).reduce((sum, weight, j) => {
        const isOther = isPatched && j >= row.first_value && j < row.end_value;
        return sum + weight * qkv[((isOther ? row.other : row.base) + j) * 3 * C + 2 * C + c]!;
      }, 0);
    if (!isPatched || row.action !== HEAD_ACTIONS.MEAN) return mixed(row.position);
    let sum = 0;
    for (let i = row.mean_from; i < row.end; i++) sum += mixed(i);
    return sum / (row.end - row.mean_from);
  });
}

for (
  const { tokens: T, heads, headSize } of [
    { tokens: 1, heads: 3, headSize: 4 },
    { tokens: 5, heads: 2, headSize: 12 },
    { tokens: 65, heads: 2, headSize: 72 },
  ]
) {
  Deno.test(`patched_attention, T = ${T}, H = ${heads}, D = ${headSize}`, () =>
    withGpu(async (gpu) => {
      const C = heads * headSize;
      const scale = 1 / Math.sqrt(headSize);
      const qkv = Float32Array.from(new Random(T).normals(2 * T * 3 * C, 1));
      const plain: Row = {
        position: T - 1,
        base: T,
        other: 0,
        head: ALL_HEADS,
        query: 0,
        first_key: 0,
        end_key: 0,
        first_value: 0,
        end_value: 0,
        action: HEAD_ACTIONS.MIX,
        mean_from: 0,
        end: T,
      };
      const middle = Math.floor(T / 2);
      const rows: Row[] = [
        plain,
        { ...plain, position: middle },
        { ...plain, query: 1, end_key: T, end_value: T }, // the other run
        { ...plain, query: 1, head: 1 },
        { ...plain, first_key: middle, end_key: middle + 1 },
        { ...plain, first_value: middle, end_value: T, head: 0 },
        { ...plain, query: 1, first_key: middle, end_key: T, first_value: middle, end_value: T },
        { ...plain, action: HEAD_ACTIONS.ZERO, head: 1 },
        { ...plain, action: HEAD_ACTIONS.MEAN, head: 1, position: 0 },
        { ...plain, action: HEAD_ACTIONS.MEAN, mean_from: Math.min(1, T - 1) },
      ];
      const words = Uint32Array.from(
        rows.flatMap((row) => PATCHED_ROW_MEMBERS.map((it) => row[it])),
      );
      // The rows of this layer come after those of another.
      const table = gpu.device.createBuffer({
        label: "rows",
        size: 256 + words.byteLength,
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
      });
      gpu.device.queue.writeBuffer(table, 256, words);
      const kernel = await PatchedAttention.create(gpu.device, { heads, channels: C, context: T });
      const z = await Activations.create(gpu, { rows: rows.length + 1, columns: C });
      const operands = kernel.bind({
        layer: uniformOf(gpu, new Float32Array([scale])),
        qkv: (await Activations.create(gpu, { rows: 2 * T, columns: 3 * C }, qkv)).view,
        z: z.view,
      });
      const bound = kernel.bind({ rows: { buffer: table, size: words.byteLength } });
      await run(
        gpu,
        (pass) => kernel.dispatch(pass, [[operands], [bound, 256]], { rows: rows.length }),
      );
      const actual = await z.download();
      assert(actual.subarray(rows.length * C).every(Number.isNaN), "another row was written to");
      const wanted = rows.flatMap((row) => expected(row, { qkv, heads, headSize, scale }));
      // Means of values of size 1, of up to 65 of them. Measured: 6e-7.
      assertClose(actual.subarray(0, rows.length * C), wanted, { atol: 3e-6 });
      // A row whose own keys and values are the other's from 0 on is the other's row, to the bit.
      const same = { ...plain, base: 0 };
      assert.deepEqual(
        expected(same, { qkv, heads, headSize, scale }),
        expected(rows[2]!, { qkv, heads, headSize, scale }),
      );
    }));
}
