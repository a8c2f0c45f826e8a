import code from "../../../shaders/linear_tiles.wgsl" with { type: "text" };
import { allocate } from "../gpu/allocate.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import { halfCode, toHalf } from "./half_weights.ts";
import type { WeightType } from "../../requests/weight_type.ts";
import { defineLinear, type LinearShape, type Packed, type Tiling } from "./linear.ts";
import { HALF_THIN, THIN } from "./linear_thin.ts";

const TILE_COLUMNS = 4 * wgslConstant(code, "COLUMNS");
/** Inputs of a step over K. */
const STEP = 4 * wgslConstant(code, "STEP");

const pack = async (
  device: GPUDevice,
  label: string,
  { values, shape: { inputs, outputs } }: {
    readonly values: Float32Array;
    readonly shape: LinearShape;
  },
  weights: WeightType,
): Promise<Packed> => {
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
  const data = weights === "f32" ? padded.buffer : toHalf(padded, label).buffer;
  const [from, bytes] = weights === "f32"
    ? [padded.byteOffset, padded.byteLength]
    : [0, data.byteLength];
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST;
  const buffer = await allocate(device, { label, bytes, usage });
  device.queue.writeBuffer(buffer, 0, data, from, bytes);
  return { resource: buffer, pitch: columns / 4, bytes, destroy: () => buffer.destroy() };
};

/** Tiles in workgroup memory, weights in a buffer: see `shaders/linear_tiles.wgsl`. */
export const TILES: Tiling = tilesOf("linear_tiles", 64, "f32");
/** The same with tiles of 128 rows. */
export const TALL_TILES: Tiling = tilesOf("linear_tiles_128", 128, "f32");
/** The same two with weights of float16. */
export const HALF_TILES: Tiling = tilesOf("linear_tiles_f16", 64, "f16");
export const HALF_TALL_TILES: Tiling = tilesOf("linear_tiles_128_f16", 128, "f16");

function tilesOf(name: string, rows: number, weights: WeightType): Tiling {
  const text = weights === "f32" ? code : halfCode(code);
  return {
    kernel: defineLinear({ name, code: text, weights: "read", rows }),
    thin: weights === "f32" ? THIN : HALF_THIN,
    weights,
    pack: (device, label, matrix) => pack(device, label, matrix, weights),
  };
}
