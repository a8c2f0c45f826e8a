import { allocateTexture } from "../gpu/allocate.ts";
import { makeUniform } from "../gpu/uniform.ts";
import { timePass } from "../gpu/time_pass.ts";
import type { LinearKernel } from "./linear.ts";

/** The ms that a kernel takes for the product of (rows, inputs) with (inputs, outputs). */
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
  const count = makeUniform(device, "timing", new Uint32Array([rows, 0]));
  const b = device.createBuffer({
    label: "timing",
    size: 4 * outputs,
    usage: GPUBufferUsage.STORAGE,
  });
  const operands = linear.bind({ rows: count, b, x: x!, residual: residual!, y: y! });
  try {
    return await timePass(device, (pass) => linear.dispatch(pass, operands, { rows }));
  } finally {
    linear.destroy();
    for (const it of [...textures, count, b]) it.destroy();
  }
}
