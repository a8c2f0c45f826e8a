import { type Epilogue, Linear, rowStride, TILE_ROWS } from "../../src/kernels/linear.ts";
import { add, geluNew, linear } from "../reference/gpt2.ts";
import { assertClose } from "../support/assert_close.ts";
import { download, run, unpad, upload, withGpu } from "../support/gpu.ts";
import { Random } from "../support/random.ts";

// Sizes on both sides of a tile: 16 rows, 16 columns, 128 columns of a workgroup. No two are equal.
const SIZES = [
  { tokens: 1, inputs: 24, outputs: 20 },
  { tokens: 5, inputs: 100, outputs: 72 },
  { tokens: 65, inputs: 40, outputs: 204 },
];

const EPILOGUES: Record<Epilogue, (sums: Float64Array, before: Float32Array) => Float64Array> = {
  none: (sums) => sums,
  gelu: (sums) => geluNew(sums),
  add: (sums, before) => add(sums, before),
};

for (const { tokens, inputs, outputs } of SIZES) {
  for (const epilogue of ["none", "gelu", "add"] as const) {
    Deno.test(`linear (${tokens}, ${inputs}) x (${inputs}, ${outputs}), ${epilogue}`, () =>
      withGpu(async (gpu) => {
        const random = new Random(tokens);
        const x = random.normals(tokens * inputs);
        const w = random.normals(inputs * outputs);
        const b = random.normals(outputs);
        const before = random.normals(tokens * outputs);
        const rows = Math.ceil(tokens / TILE_ROWS) * TILE_ROWS;
        const stride = rowStride(outputs);

        const y = upload(gpu, before, { columns: outputs, stride, rows });
        const kernel = await Linear.create(gpu.device, {
          label: "test",
          inputs,
          outputs,
          epilogue,
        });
        const operands = kernel.bind({
          x: upload(gpu, x, { columns: inputs, stride: rowStride(inputs), rows }),
          w: upload(gpu, w, { columns: outputs, stride }),
          b: upload(gpu, b, { columns: outputs, stride }),
          y,
        });
        await run(gpu, (pass) => kernel.dispatch(pass, operands, { tokens }));

        const actual = unpad(await download(gpu, y), { rows: tokens, columns: outputs, stride });
        const expected = EPILOGUES[epilogue](linear(x, w, b), before);
        // Sums of up to 100 products of size 1: the error grows with their root, 2^-24 sqrt(100) 10 = 6e-6.
        // Measured: 5.3e-6.
        assertClose(actual, expected, { atol: 1e-5, rtol: 1e-6 });
      }));
  }
}

Deno.test("linear's gelu survives inputs in the hundreds, where tanh of some drivers is NaN", () =>
  withGpu(async (gpu) => {
    const values = [-1000, -300, -88, -10, -1, 0, 1, 10, 88, 300, 1000, 1e18, -1e18];
    const outputs = 16;
    const b = Float32Array.from({ length: outputs }, (_, i) => values[i] ?? 0);
    const kernel = await Linear.create(gpu.device, {
      label: "test",
      inputs: 4,
      outputs,
      epilogue: "gelu",
    });
    const y = upload(gpu, new Float32Array(16 * outputs), { columns: outputs });
    const operands = kernel.bind({
      x: upload(gpu, new Float32Array(16 * 16), { columns: 16 }),
      w: upload(gpu, new Float32Array(4 * outputs), { columns: outputs }),
      b: upload(gpu, b, { columns: outputs }),
      y,
    });
    await run(gpu, (pass) => kernel.dispatch(pass, operands, { tokens: 1 }));
    const actual = (await download(gpu, y)).subarray(0, outputs);
    // The rounding of a float32 tanh, absolute near 0 and relative beyond. Measured: 5e-8.
    assertClose(actual, geluNew(b), { atol: 1e-6, rtol: 1e-6 });
  }));
