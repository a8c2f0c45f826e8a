import { allocateTexture } from "../gpu/allocate.ts";
import { Owned } from "../gpu/owned.ts";
import { Readback } from "../gpu/readback.ts";
import { Recorder } from "../gpu/recorder.ts";
import { makeUniform } from "../gpu/uniform.ts";
import type { LinearKernel } from "./linear.ts";

/** Rows that are computed: whole tiles of any kernel, and some that are left. */
const ROWS = 37;
/** One column in this many is computed in float64 too. */
const COLUMNS_APART = 7;
/** How far a sum may be off, in parts of the sum of its terms' sizes: 20 times what was seen of either kernel. */
const TOLERANCE = 1e-5;

/** Whether a kernel computes what it should: y = x w + b + residual, held against sums in float64 for some columns. */
export async function checkLinear(
  device: GPUDevice,
  kernel: LinearKernel,
  { inputs, outputs }: { readonly inputs: number; readonly outputs: number },
): Promise<boolean> {
  using owned = new Owned();
  const numbers = (length: number, seed: number): Float32Array<ArrayBuffer> =>
    Float32Array.from({ length }, (_, at) => Math.sin(seed + at * 12.9898) % 0.73);
  const [x, w, residual] = [
    numbers(ROWS * inputs, 1),
    numbers(inputs * outputs, 2),
    numbers(ROWS * outputs, 3),
  ];
  const b = numbers(outputs, 4);
  const linear = owned.add(await kernel.upload("check", w, { inputs, outputs, epilogue: "add" }));
  const texture = async (width: number, data?: Float32Array<ArrayBuffer>): Promise<GPUTexture> => {
    const size = { label: "check", width: width / 4, height: ROWS };
    const made = owned.add(await allocateTexture(device, size));
    const layout = { bytesPerRow: 4 * width };
    if (data) device.queue.writeTexture({ texture: made }, data, layout, [width / 4, ROWS]);
    return made;
  };
  const y = await texture(outputs, new Float32Array(ROWS * outputs).fill(NaN));
  const bias = device.createBuffer({
    label: "check",
    size: b.byteLength,
    usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
  });
  owned.add(bias);
  device.queue.writeBuffer(bias, 0, b);
  const operands = linear.bind({
    rows: owned.add(makeUniform(device, "check", new Uint32Array([ROWS, 0]))),
    x: (await texture(inputs, x)).createView(),
    b: bias,
    residual: (await texture(outputs, residual)).createView(),
    y: y.createView(),
  });
  const readback = new Readback(device);
  try {
    const result = Array.from(
      { length: ROWS },
      (_, row) => ({ texture: y, row, bytes: 4 * outputs }),
    );
    const staging = await readback.acquire(result);
    const recorder = new Recorder(device, "check");
    linear.dispatch(recorder.pass, operands, { rows: ROWS });
    readback.copy(recorder.encoder, result, staging);
    device.queue.submit([recorder.finish()]);
    const found = new Float32Array(await readback.take(staging));
    return isClose(found, { x, w, b, residual, inputs, outputs });
  } finally {
    await readback.destroy();
  }
}

function isClose(
  found: Float32Array,
  { x, w, b, residual, inputs, outputs }: {
    readonly x: Float32Array;
    readonly w: Float32Array;
    readonly b: Float32Array;
    readonly residual: Float32Array;
    readonly inputs: number;
    readonly outputs: number;
  },
): boolean {
  for (let row = 0; row < ROWS; row++) {
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
