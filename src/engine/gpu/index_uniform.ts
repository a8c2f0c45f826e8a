import type { BoundGroup } from "./kernel.ts";
import { StructUniform } from "./struct_uniform.ts";

/** The most layers, or heads of a layer, of any model: a layer's number is a byte in Arrow. */
const MOST = 256;
const known = new WeakMap<GPUDevice, StructUniform<"index">>();

/** The bind group of one number, for kernels whose dispatch is for one layer or head. */
export function indexGroup(device: GPUDevice, index: number): BoundGroup {
  if (index >= MOST) {
    throw new RangeError(
      `Cannot tell a kernel an index as it must lie below ${MOST}: current value is ${index}`,
    );
  }
  let indices = known.get(device);
  if (!indices) {
    indices = new StructUniform(device, { label: "indices", members: ["index"], most: MOST });
    indices.write(Array.from({ length: MOST }, (_, it) => ({ index: it })));
    known.set(device, indices);
  }
  return indices.at(index);
}
