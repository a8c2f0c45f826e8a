import { allocateTexture } from "../gpu/allocate.ts";
import { timePass } from "../gpu/time_pass.ts";
import type { LinearKernel } from "./linear.ts";

/** The ms that a kernel takes for the product of so many rows with a matrix of so many inputs and outputs. */
export async function timeLinear(
  device: GPUDevice,
  kernel: LinearKernel,
  { inputs, outputs, rows }: { inputs: number; outputs: number; rows: number },
): Promise<number> {
  const matrix = new Float32Array(inputs * outputs).fill(1 / inputs);
  const linear = await kernel.upload("timing", matrix, { inputs, outputs, epilogue: "add" });
  const textures = await Promise.all(
    [inputs, outputs, outputs].map((width) =>
      allocateTexture(device, { label: "timing", width: width / 4, height: rows })
    ),
  );
  const [x, residual, y] = textures.map((texture) => texture.createView());
  const job = device.createBuffer({
    label: "timing",
    size: 16,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(job, 0, new Uint32Array([rows, 0]));
  const b = device.createBuffer({
    label: "timing",
    size: 4 * outputs,
    usage: GPUBufferUsage.STORAGE,
  });
  const operands = linear.bind({ job, b, x: x!, residual: residual!, y: y! });
  try {
    return await timePass(device, (pass) => linear.dispatch(pass, operands, { rows }));
  } finally {
    linear.destroy();
    for (const it of [...textures, job, b]) it.destroy();
  }
}
