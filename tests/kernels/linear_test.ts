import type { Activation } from "../../src/requests/architecture/architecture.ts";
import type { Epilogue } from "../../src/requests/architecture/family.ts";
import type { Gpu } from "../../src/engine/gpu/device.ts";
import { LinearKernel, type Tiling } from "../../src/engine/kernels/linear.ts";
import { BROADCAST, HALF_BROADCAST } from "../../src/engine/kernels/linear_broadcast.ts";
import { HALF_REGISTERS, REGISTERS } from "../../src/engine/kernels/linear_registers.ts";
import {
  HALF_TALL_TILES,
  HALF_TILES,
  TALL_TILES,
  TILES,
} from "../../src/engine/kernels/linear_tiles.ts";
import { ACTIVATIONS, add, gelu, linear } from "../reference/gpt2.ts";
import assert from "node:assert/strict";
import { assertClose } from "../support/assert_close.ts";
import { Activations, run, uniformOf, upload, withGpu } from "../support/gpu.ts";
import { Random } from "../support/random.ts";

const TILINGS: readonly Tiling[] = [
  BROADCAST,
  REGISTERS,
  TILES,
  TALL_TILES,
  HALF_BROADCAST,
  HALF_REGISTERS,
  HALF_TILES,
  HALF_TALL_TILES,
];

/** The weights that a tiling has: those of float16 are rounded, and exact from there on. */
function kept({ weights }: Tiling, w: Float32Array): Float32Array {
  return weights === "f32" ? w : Float32Array.from(new Float16Array(w));
}

// Sizes on both sides of the tiles: 4, 8, 16, 32, 64 and 128 rows, 32, 64 and 128 columns, 8, 48 and 128 inputs. No two are
// equal.
const SIZES = [
  { tokens: 1, inputs: 24, outputs: 20 },
  { tokens: 5, inputs: 100, outputs: 72 },
  { tokens: 8, inputs: 48, outputs: 128 },
  { tokens: 9, inputs: 52, outputs: 132 },
  { tokens: 33, inputs: 16, outputs: 64 },
  { tokens: 65, inputs: 40, outputs: 204 },
  { tokens: 130, inputs: 264, outputs: 36 },
];

/** A product of nothing, for a look at what comes after it. */
const ZERO = { x: new Float32Array(4), w: new Float32Array(64), before: new Float32Array(16) };

/** Where `store` puts the first row. */
const FIRST = 3;

const EPILOGUES: Record<Epilogue, (sums: Float64Array, before: Float32Array) => Float64Array> = {
  store: (sums) => sums,
  ...ACTIVATIONS,
  add: (sums, before) => add(sums, before),
};

interface Case {
  readonly x: ArrayLike<number>;
  readonly w: Float32Array;
  readonly b: ArrayLike<number>;
  readonly before: ArrayLike<number>;
  readonly tokens: number;
}

async function compute(
  gpu: Gpu,
  tiling: Tiling,
  epilogue: Epilogue,
  { x, w, b, before, tokens }: Case,
): Promise<Float32Array> {
  const outputs = b.length;
  const inputs = w.length / outputs;
  const kernel = await LinearKernel.create(gpu.device, tiling);
  const matrix = await kernel.upload("test", w, { inputs, outputs, epilogue });
  const y = await Activations.create(gpu, { rows: tokens + FIRST, columns: outputs });
  const operands = matrix.bind({
    rows: uniformOf(gpu, new Uint32Array([tokens, FIRST])),
    x: (await Activations.create(gpu, { rows: tokens, columns: inputs }, x)).view,
    b: upload(gpu, b),
    residual: (await Activations.create(gpu, { rows: tokens, columns: outputs }, before)).view,
    y: y.view,
  });
  await run(gpu, (pass) => matrix.dispatch(pass, operands, { rows: tokens }));
  const numbers = await y.download();
  if (epilogue === "store") {
    assert(numbers.subarray(0, FIRST * outputs).every(Number.isNaN), "rows before were written to");
    return numbers.subarray(FIRST * outputs);
  }
  assert(numbers.subarray(tokens * outputs).every(Number.isNaN), "rows behind were written to");
  return numbers.subarray(0, tokens * outputs);
}

for (const tiling of TILINGS) {
  for (const { tokens, inputs, outputs } of SIZES) {
    Deno.test(`${tiling.kernel.name} (${tokens}, ${inputs}) x (${inputs}, ${outputs}), all epilogues`, () =>
      withGpu(async (gpu) => {
        const random = new Random(tokens);
        const x = random.normals(tokens * inputs);
        const w = random.normals(inputs * outputs);
        const b = random.normals(outputs);
        const before = random.normals(tokens * outputs);
        for (const epilogue of Object.keys(EPILOGUES) as Epilogue[]) {
          const actual = await compute(gpu, tiling, epilogue, { x, w, b, before, tokens });
          const expected = EPILOGUES[epilogue](linear(x, kept(tiling, w), b), before);
          // Sums of up to 100 products of size 1: the error grows with their root, 2^-24 sqrt(100) 10 = 6e-6.
          // Measured: 6e-6 at a sum of 25.
          assertClose(actual, expected, { atol: 1e-5, rtol: 1e-6 });
        }
      }));
  }

  Deno.test(`${tiling.kernel.name}'s activations survive inputs in the hundreds, where tanh of some drivers is NaN`, () =>
    withGpu(async (gpu) => {
      const values = [-1000, -300, -88, -10, -1, 0, 1, 10, 88, 300, 1000, 1e18, -1e18];
      const outputs = 16;
      const b = Float32Array.from({ length: outputs }, (_, i) => values[i] ?? 0);
      for (const epilogue of Object.keys(ACTIVATIONS) as Activation[]) {
        const actual = await compute(gpu, tiling, epilogue, { ...ZERO, b, tokens: 1 });
        // The rounding of a float32 tanh, absolute near 0 and relative beyond. Measured: 5e-8.
        assertClose(actual, ACTIVATIONS[epilogue](b), { atol: 1e-6, rtol: 1e-6 });
      }
    }));

  Deno.test(`${tiling.kernel.name}'s gelu is right to a float32 over its whole range, its tail too`, () =>
    withGpu(async (gpu) => {
      const outputs = 2048;
      const b = Float32Array.from({ length: outputs }, (_, i) => (i - outputs / 2) * 12 / outputs);
      const w = new Float32Array(4 * outputs);
      const before = new Float32Array(outputs);
      const x = new Float32Array(4);
      const actual = await compute(gpu, tiling, "gelu", { x, w, before, b, tokens: 1 });
      // erfc is fitted to 5e-8, and exp(-z^2) rounds z^2 of up to 18: 18 * 2^-24 = 1e-6 of itself, in the tail alone,
      // where the driver's exp adds its own. Measured: 2e-7 above 0, 1.4e-6 of itself below.
      const expected = gelu(b);
      actual.forEach((value, i) => {
        const exact = expected[i]!;
        const tolerance = b[i]! >= 0 ? 4e-7 * exact : 4e-6 * Math.abs(exact);
        assert(Math.abs(value - exact) <= tolerance, `gelu(${b[i]}) is ${value}, not ${exact}`);
      });
    }));
}

for (const tiling of TILINGS) {
  Deno.test(`a row of ${tiling.kernel.name} is the same to the bit however many rows there are`, () =>
    withGpu(async (gpu) => {
      const random = new Random(9);
      const [inputs, outputs, most] = [100, 140, 70];
      const x = random.normals(most * inputs);
      const w = random.normals(inputs * outputs);
      const b = random.normals(outputs);
      const before = random.normals(most * outputs);
      const whole = await compute(gpu, tiling, "add", { x, w, b, before, tokens: most });
      for (const tokens of [1, 4, 5, 8, 9, 16, 17, 25]) {
        const part = {
          x: x.subarray(0, tokens * inputs),
          before: before.subarray(0, tokens * outputs),
        };
        const actual = await compute(gpu, tiling, "add", { ...part, w, b, tokens });
        assert.deepEqual(actual, whole.slice(0, tokens * outputs), `T = ${tokens}`);
      }
    }));
}
