import code from "../../../shaders/linear_workgroup.wgsl" with { type: "text" };
import { allocate } from "../gpu/allocate.ts";
import { read } from "../gpu/kernel.ts";
import type { Tiling } from "./linear.ts";

const TILE_COLUMNS = 64;
/** Inputs of a step over K. */
const STEP = 16;

/** Tiles in workgroup memory, weights in a buffer: see `shaders/linear_workgroup.wgsl`. */
export const WORKGROUP: Tiling = {
  variant: "linear_workgroup",
  code,
  weights: "read",
  rows: 32,
  columns: TILE_COLUMNS,
  pack: async (device, label, { values, shape: { inputs, outputs } }) => {
    const columns = Math.ceil(outputs / TILE_COLUMNS) * TILE_COLUMNS;
    const rows = Math.ceil(inputs / STEP) * STEP;
    const padded = rows === inputs && columns === outputs
      ? values as Float32Array<ArrayBuffer>
      : new Float32Array(rows * columns);
    if (padded !== values) {
      for (let k = 0; k < inputs; k++) {
        padded.set(values.subarray(k * outputs, (k + 1) * outputs), k * columns);
      }
    }
    const bytes = padded.byteLength;
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
    const buffer = await allocate(device, { label, bytes, usage });
    device.queue.writeBuffer(buffer, 0, padded);
    return { binding: read(buffer), layout: columns / 4, bytes, destroy: () => buffer.destroy() };
  },
};
