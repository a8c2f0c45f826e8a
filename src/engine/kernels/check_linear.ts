import { allocateTexture } from "../gpu/allocate.ts";
import { Owned } from "../gpu/owned.ts";
import { Readback } from "../gpu/readback.ts";
import { Recorder } from "../gpu/recorder.ts";
import { makeUniform } from "../gpu/uniform.ts";
import type { LinearKernel } from "./linear.ts";

/** The numbers of rows that are tried: few, and whole tiles of every kernel plus some. */
const ROWS = [5, 133];
/** Every 31st column of a row is checked, and other columns of the next row. */
const COLUMNS_APART = 31;
/** The largest error of a sum, relative to the sum of its terms' sizes: 20 times the measured errors. */
const TOLERANCE = 1e-5;

/** Whether a kernel computes y = x w + b + residual, compared with sums in float64 for some columns. */
export async function checkLinear(
  device: GPUDevice,
  kernel: LinearKernel,
  shape: { readonly inputs: number; readonly outputs: number },
): Promise<boolean> {
  for (const rows of ROWS) if (!await checkRows(device, kernel, { ...shape, rows })) return false;
  return true;
}

async function checkRows(
  device: GPUDevice,
  kernel: LinearKernel,
  { inputs, outputs, rows }: { inputs: number; outputs: number; rows: number },
): Promise<boolean> {
  using owned = new Owned();
  const numbers = (length: number, seed: number): Float32Array<ArrayBuffer> =>
    Float32Array.from({ length }, (_, at) => Math.sin(seed + at * 12.9898) % 0.73);
  const [x, w, residual] = [
    numbers(rows * inputs, 1),
    numbers(inputs * outputs, 2),
    numbers(rows * outputs, 3),
  ];
  const b = numbers(outputs, 4);
  // A kernel of float16 is checked with rounded weights.
  const kept = kernel.tiling.weights === "f32" ? w : Float32Array.from(new Float16Array(w));
  const linear = owned.add(await kernel.upload("check", w, { inputs, outputs, epilogue: "add" }));
  const texture = async (width: number, data?: Float32Array<ArrayBuffer>): Promise<GPUTexture> => {
    const size = { label: "check", width: width / 4, height: rows };
    const made = owned.add(await allocateTexture(device, size));
    const layout = { bytesPerRow: 4 * width };
    if (data) device.queue.writeTexture({ texture: made }, data, layout, [width / 4, rows]);
    return made;
  };
  const y = await texture(outputs, new Float32Array(rows * outputs).fill(NaN));
  const bias = device.createBuffer({
    label: "check",
    size: b.byteLength,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
  });
  owned.add(bias);
  device.queue.writeBuffer(bias, 0, b);
  const operands = linear.bind({
    rows: owned.add(makeUniform(device, "check", new Uint32Array([rows, 0]))),
    x: (await texture(inputs, x)).createView(),
    b: bias,
    residual: (await texture(outputs, residual)).createView(),
    y: y.createView(),
  });
  const readback = new Readback(device);
  try {
    const result = Array.from(
      { length: rows },
      (_, row) => ({ texture: y, row, bytes: 4 * outputs }),
    );
    const staging = await readback.acquire(result);
    const recorder = new Recorder(device, "check");
    linear.dispatch(recorder.pass, operands, { rows });
    readback.copy(recorder.encoder, result, staging);
    device.queue.submit([recorder.finish()]);
    const found = new Float32Array(await readback.take(staging));
    return isClose(found, { x, w: kept, b, residual, inputs, outputs, rows });
  } finally {
    await readback.destroy();
  }
}

function isClose(
  found: Float32Array,
  { x, w, b, residual, inputs, outputs, rows }: {
    readonly x: Float32Array;
    readonly w: Float32Array;
    readonly b: Float32Array;
    readonly residual: Float32Array;
    readonly inputs: number;
    readonly outputs: number;
    readonly rows: number;
  },
): boolean {
  for (let row = 0; row < rows; row++) {
    for (let column = row % COLUMNS_APART; column < outputs; column += COLUMNS_APART) {
      const at = row * outputs + column;
      let sum = b[column]! + residual[at]!;
      let size = Math.abs(sum);
      for (let k = 0; k < inputs; k++) {
        const term = x[row * inputs + k]! * w[k * outputs + column]!;
        sum += term;
        size += Math.abs(term);
      }
      if (!(Math.abs(found[at]! - sum) <= TOLERANCE * size)) return false;
    }
  }
  return true;
}
