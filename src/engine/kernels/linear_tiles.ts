import code from "../../../shaders/linear_tiles.wgsl" with { type: "text" };
import { allocate } from "../gpu/allocate.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import { defineLinear, type Tiling } from "./linear.ts";
import { THIN } from "./linear_thin.ts";

const TILE_COLUMNS = 4 * wgslConstant(code, "COLUMNS");
/** Inputs of a step over K. */
const STEP = 4 * wgslConstant(code, "STEP");

const pack: Tiling["pack"] = async (device, label, { values, shape: { inputs, outputs } }) => {
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
  return { resource: buffer, pitch: columns / 4, bytes, destroy: () => buffer.destroy() };
};

/** Tiles in workgroup memory, weights in a buffer: see `shaders/linear_tiles.wgsl`. */
export const TILES: Tiling = tilesOf("linear_tiles", 64);
/** The same with tiles of 128 rows. */
export const TALL_TILES: Tiling = tilesOf("linear_tiles_128", 128);

function tilesOf(name: string, rows: number): Tiling {
  return { kernel: defineLinear({ name, code, weights: "read", rows }), thin: THIN, pack };
}
