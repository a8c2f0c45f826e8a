import assert from "node:assert/strict";
import { unpackTriangles } from "../../src/engine/activations/packed_triangles.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import type { BoundGroup } from "../../src/engine/gpu/kernel.ts";
import { HeadGram } from "../../src/engine/kernels/head_gram.ts";
import { HeadOutputs } from "../../src/engine/kernels/head_outputs.ts";
import { MeasureAlti } from "../../src/engine/kernels/measure_alti.ts";
import { MeasureNorms, type NormKind } from "../../src/engine/kernels/measure_norms.ts";
import { MeasureTurns } from "../../src/engine/kernels/measure_turns.ts";
import { RouteParts } from "../../src/engine/kernels/route_parts.ts";
import { RouteSums } from "../../src/engine/kernels/route_sums.ts";
import { RowShares } from "../../src/engine/kernels/row_shares.ts";
import { ZeroedMiddle } from "../../src/engine/kernels/zeroed_middle.ts";
import {
  alti,
  attentionNorm,
  attentionResidual,
  type MethodLayer,
  moved,
  norm2,
  routeParts,
  shares,
  valueNorm,
} from "../reference/methods.ts";
import { assertClose } from "../support/assert_close.ts";
import { Activations, download, output, promptOf, run, upload, withGpu } from "../support/gpu.ts";
import { Random } from "../support/random.ts";
import { LAYER_SIZES, type RandomLayer, randomLayer, SLOT } from "../support/random_layer.ts";
import { packTriangles } from "../support/triangles.ts";

/** The textures that kernels read a layer from. */
async function texturesOf(
  gpu: Gpu,
  layer: RandomLayer,
): Promise<Record<"qkv" | "w" | "f" | "x" | "y", Activations>> {
  const { tokens: rows, heads: layers, channels: columns } = layer;
  const qkv = { rows: SLOT + rows, columns: 3 * columns };
  return {
    qkv: await Activations.create(gpu, qkv, layer.qkv),
    w: await Activations.create(gpu, { rows: columns, columns }, layer.w),
    f: await Activations.create(gpu, { rows, columns, layers }, layer.outputs),
    x: await Activations.create(gpu, { rows, columns }, layer.x),
    y: await Activations.create(gpu, { rows, columns }, layer.y),
  };
}

/** Two packed triangles, of which a kernel is to write the second. */
class Target {
  readonly #gpu: Gpu;
  readonly #layer: RandomLayer;
  readonly #buffer: GPUBuffer;

  constructor(gpu: Gpu, layer: RandomLayer) {
    this.#gpu = gpu;
    this.#layer = layer;
    this.#buffer = output(gpu, 2 * layer.stride * 4);
  }

  group(kernel: { bind(it: { matrix: GPUBufferBinding }): GPUBindGroup }): BoundGroup {
    const size = this.#layer.stride * 16;
    return [kernel.bind({ matrix: { buffer: this.#buffer, size } }), size];
  }

  /** (T, T). Rows must be padded with zeros where padding is read, and the first triangle untouched. */
  async read(): Promise<Float32Array> {
    const { tokens, stride } = this.#layer;
    const numbers = await download(this.#gpu, this.#buffer);
    assert(numbers.subarray(0, stride * 4).every(Number.isNaN), "another layer was written to");
    return unpackTriangles(numbers.subarray(stride * 4), { count: 1, tokens, stride });
  }
}

const NORMS: Record<NormKind, (layer: MethodLayer) => Float64Array> = {
  apart: valueNorm,
  together: attentionNorm,
  residual: attentionResidual,
};

/** (T, vectors, vectors) */
function gramOf({ tokens, heads, channels, f, x }: RandomLayer, vectors: number): Float64Array {
  const vector = (t: number, n: number): ArrayLike<number> =>
    n < heads
      ? f.subarray((t * heads + n) * channels, (t * heads + n + 1) * channels)
      : x.subarray(t * channels, (t + 1) * channels);
  return Float64Array.from({ length: tokens * vectors ** 2 }, (_, at) => {
    const t = Math.floor(at / vectors ** 2);
    const [a, b] = [vector(t, Math.floor(at / vectors) % vectors), vector(t, at % vectors)];
    let sum = 0;
    for (let c = 0; c < channels; c++) sum += a[c]! * b[c]!;
    return sum;
  });
}

for (const size of LAYER_SIZES) {
  const { tokens, heads, channels, ...layer } = randomLayer(size);
  const all: RandomLayer = { tokens, heads, channels, ...layer };
  const shape = { heads, channels };
  const of = `T = ${tokens}, H = ${heads}, D = ${size.headSize}`;
  const fields = { tokens, slot: SLOT, stride: layer.stride };

  Deno.test(`head_outputs, ${of}`, () =>
    withGpu(async (gpu) => {
      const { qkv, w } = await texturesOf(gpu, all);
      const f = await Activations.create(gpu, { rows: tokens, columns: channels, layers: heads });
      const kernel = await HeadOutputs.create(gpu.device, shape);
      const operands = kernel.bind({ qkv: qkv.view, w: w.view, f: f.views });
      await run(gpu, (pass) =>
        kernel.dispatch(pass, [[operands], promptOf(gpu, fields)], { tokens }));
      // Sums of up to 28 products of size 0.6: 2^-24 of 16 is 1e-6. Measured: 1.9e-6 at 16.
      assertClose(await f.download(), layer.outputs, { atol: 3e-6, rtol: 1e-6 });
    }));

  for (const vectors of [heads, heads + 1]) {
    Deno.test(`head_gram of ${vectors} vectors, ${of}`, () =>
      withGpu(async (gpu) => {
        const { f, x } = await texturesOf(gpu, all);
        const gram = output(gpu, tokens * vectors ** 2);
        const kernel = await HeadGram.create(gpu.device, { ...shape, vectors });
        const operands = kernel.bind({ f: f.views, x: x.view, gram });
        await run(gpu, (pass) => kernel.dispatch(pass, [[operands]], { tokens }));
        // Sums of up to 140 products. Measured: 3e-4 at 2,014, 1.5e-7 of itself.
        const expected = gramOf(all, vectors);
        const largest = expected.reduce((a, b) => Math.max(a, b));
        assertClose(await download(gpu, gram), expected, { atol: 1e-6 * largest });
      }));
  }

  for (const kind of Object.keys(NORMS) as NormKind[]) {
    Deno.test(`measure_norms ${kind}, ${of}`, () =>
      withGpu(async (gpu) => {
        const vectors = kind === "residual" ? heads + 1 : heads;
        const kernel = await MeasureNorms.create(gpu.device, { heads, vectors, kind });
        const target = new Target(gpu, all);
        const groups = [
          [kernel.bind({ gram: upload(gpu, gramOf(all, vectors)) })],
          promptOf(gpu, fields),
          [kernel.bind({ patterns: upload(gpu, layer.packed) }), 0],
          target.group(kernel),
        ] as const;
        await run(gpu, (pass) => kernel.dispatch(pass, groups, { tokens }));
        // A length is the root of a sum that cancels: its error is that of the sum over twice itself. Measured: 1.6e-5 at 170.
        assertClose(await target.read(), NORMS[kind](all), { atol: 1e-5, rtol: 1e-6 });
      }));
  }

  Deno.test(`measure_alti, ${of}`, () =>
    withGpu(async (gpu) => {
      const { f, x, y } = await texturesOf(gpu, all);
      const kernel = await MeasureAlti.create(gpu.device, shape);
      const target = new Target(gpu, all);
      const groups = [
        [kernel.bind({ f: f.views, x: x.view, y: y.view })],
        promptOf(gpu, fields),
        [kernel.bind({ patterns: upload(gpu, layer.packed) }), 0],
        target.group(kernel),
      ] as const;
      await run(gpu, (pass) => kernel.dispatch(pass, groups, { tokens }));
      // Sums over up to 140 channels of size 3. Measured: 4.2e-5 at 434.
      assertClose(await target.read(), alti(all), { atol: 1e-4, rtol: 1e-6 });
    }));

  Deno.test(`route_parts and route_sums, ${of}`, () =>
    withGpu(async (gpu) => {
      const { f, x, y } = await texturesOf(gpu, all);
      const expected = routeParts(all);
      const kernel = await RouteParts.create(gpu.device, shape);
      const parts = output(gpu, heads * layer.stride * 4);
      const groups = [
        [kernel.bind({ f: f.views, y: y.view, parts })],
        promptOf(gpu, fields),
        [kernel.bind({ patterns: upload(gpu, layer.packed) }), 0],
      ] as const;
      await run(gpu, (pass) => kernel.dispatch(pass, groups, { tokens }));
      const actual = unpackTriangles(await download(gpu, parts), {
        count: heads,
        tokens,
        stride: layer.stride,
      });
      // As above. Measured: 1.6e-5 at 105, and of the sums 3.4e-5 at 450.
      assertClose(actual, expected.heads, { atol: 1e-4, rtol: 1e-6 });

      const sums = await RouteSums.create(gpu.device, shape);
      const target = new Target(gpu, all);
      const packed = packTriangles(expected.heads, { count: heads, tokens, stride: layer.stride });
      const summed = [
        [sums.bind({ x: x.view, y: y.view, parts: upload(gpu, packed) })],
        promptOf(gpu, fields),
        target.group(sums),
      ] as const;
      await run(gpu, (pass) => sums.dispatch(pass, summed, { tokens }));
      const matrix = Float64Array.from({ length: tokens ** 2 }, (_, at) => {
        const isOwn = Math.floor(at / tokens) === at % tokens;
        let sum = isOwn ? expected.residual[at % tokens]! : 0;
        for (let h = 0; h < heads; h++) sum += expected.heads[h * tokens ** 2 + at]!;
        return sum;
      });
      assertClose(await target.read(), matrix, { atol: 1e-4, rtol: 1e-6 });
    }));

  Deno.test(`row_shares, ${of}: a row of nothing is the target's own`, () =>
    withGpu(async (gpu) => {
      const random = new Random(tokens);
      const layers = 2;
      const nothing = layers * tokens - 1;
      const squares = Float64Array.from({ length: layers * tokens ** 2 }, (_, at) => {
        const row = Math.floor(at / tokens);
        if (row === nothing || at % tokens > row % tokens) return 0;
        return random.uniform();
      });
      const kernel = await RowShares.create(gpu.device);
      const packed = packTriangles(squares, { count: layers, tokens, stride: layer.stride });
      const matrix = upload(gpu, packed);
      const groups = [[kernel.bind({ matrix })], promptOf(gpu, fields)] as const;
      await run(gpu, (pass) => kernel.dispatch(pass, groups, { tokens, layers }));
      const actual = unpackTriangles(await download(gpu, matrix), {
        count: layers,
        tokens,
        stride: layer.stride,
      });
      const expected = Float64Array.from([0, 1].flatMap((layer) => {
        const begin = layer * tokens ** 2;
        return Array.from(shares(squares.slice(begin, begin + tokens ** 2), tokens));
      }));
      expected.fill(0, nothing * tokens);
      expected[(nothing + 1) * tokens - 1] = 1;
      // A sum of up to 65 and a quotient. Measured: 4.3e-8.
      assertClose(actual, expected, { atol: 1e-6 });
    }));

  Deno.test(`zeroed_middle and measure_turns, ${of}, from the middle of the pairs on`, () =>
    withGpu(async (gpu) => {
      const { f, y } = await texturesOf(gpu, all);
      const pairs = Array.from({ length: tokens }, (_, i) => i)
        .flatMap((i) => Array.from({ length: i + 1 }, (_, j) => [i, j] as const));
      const first = Math.floor(pairs.length / 3);
      const block = { buffer: uniformWords(gpu, [0, first]), size: 16 };
      const some = pairs.slice(first);
      const words = new Uint32Array(pairs.flat());
      const listed = upload(gpu, new Float32Array(words.buffer));
      const z = await Activations.create(gpu, { rows: some.length, columns: channels });
      const zeroed = await ZeroedMiddle.create(gpu.device, shape);
      const groups = [
        [zeroed.bind({ pairs: listed, f: f.views, y: y.view, z: z.view })],
        promptOf(gpu, fields),
        [zeroed.bind({ patterns: upload(gpu, layer.packed) }), 0],
        [zeroed.bind({ block }), 256],
      ] as const;
      await run(gpu, (pass) => zeroed.dispatch(pass, groups, { rows: some.length }));
      const expected = some.flatMap(([i, j]) => {
        const u = moved(all, i, j);
        return Array.from(u, (v, c) => layer.y[i * channels + c]! - v);
      });
      // A few sums of numbers of size 10. Measured: 1.5e-6.
      assertClose(await z.download(), expected, { atol: 1e-5 });

      const turns = await MeasureTurns.create(gpu.device, { channels });
      const target = new Target(gpu, all);
      const turned = [
        [turns.bind({ pairs: listed, z: z.view, y: y.view })],
        [turns.bind({ block }), 256],
        target.group(turns),
      ] as const;
      await run(gpu, (pass) => turns.dispatch(pass, turned, { rows: some.length }));
      const actual = await target.read();
      some.forEach(([i, j], row) => {
        const a = expected.slice(row * channels, (row + 1) * channels);
        const b = layer.y.subarray(i * channels, (i + 1) * channels);
        const dot = a.reduce((sum, v, c) => sum + v * b[c]!, 0);
        const turn = 1 - dot / (norm2(a) * norm2(b));
        // Half a square of a difference of unit vectors. Measured: 4.6e-8.
        assertClose([actual[i * tokens + j]!], [turn], { atol: 1e-6 });
      });
      const untouched = pairs.slice(0, first).map(([i, j]) => actual[i * tokens + j]!);
      assert(untouched.every(Number.isNaN), "a pair before the block was written to");
    }));
}

/** A uniform buffer of structs of one number, 256 bytes apart. */
function uniformWords({ device }: Gpu, numbers: readonly number[]): GPUBuffer {
  const usage = GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST;
  const buffer = device.createBuffer({ label: "test blocks", size: 256 * numbers.length, usage });
  numbers.forEach((number, index) =>
    device.queue.writeBuffer(buffer, 256 * index, new Uint32Array([number]))
  );
  return buffer;
}
