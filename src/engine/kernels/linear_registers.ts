import code from "../../../shaders/linear_registers.wgsl" with { type: "text" };
import { allocateTexture, HALF_TEXEL, TEXEL } from "../gpu/allocate.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import { halfCode, toHalf } from "./half_weights.ts";
import { defineLinear, type LinearShape, type Packed, type Tiling } from "./linear.ts";

/** Columns of a block. */
const BLOCK = 4 * wgslConstant(code, "COLUMNS");
/** Inputs side by side in a row of the texture, and texels of a row. */
const INPUTS = 4 * wgslConstant(code, "INPUTS");
const WIDTH = INPUTS * BLOCK / 4;

/** Tiles in registers, weights in a texture: see `shaders/linear_registers.wgsl`. */
export const REGISTERS: Tiling = {
  kernel: defineLinear({ name: "linear_registers", code, weights: "readTexture" }),
  weights: "f32",
  pack: (device, label, matrix) =>
    pack(device, label, matrix, { format: "rgba32float", bytesOf: (block) => block.buffer }),
};
/** The same with weights of float16. */
export const HALF_REGISTERS: Tiling = {
  kernel: defineLinear({
    name: "linear_registers_f16",
    code: halfCode(code),
    weights: "readHalfTexture",
  }),
  weights: "f16",
  pack: (device, label, matrix) =>
    pack(device, label, matrix, {
      format: "rgba16float",
      bytesOf: (block) => toHalf(block, label).buffer,
    }),
};

async function pack(
  device: GPUDevice,
  label: string,
  { values, shape }: { readonly values: Float32Array; readonly shape: LinearShape },
  { format, bytesOf }: {
    readonly format: "rgba32float" | "rgba16float";
    readonly bytesOf: (block: Float32Array<ArrayBuffer>) => ArrayBuffer;
  },
): Promise<Packed> {
  const texel = format === "rgba32float" ? TEXEL : HALF_TEXEL;
  const blocks = Math.ceil(shape.outputs / BLOCK);
  const blockRows = Math.ceil(shape.inputs / INPUTS);
  const height = blocks * blockRows;
  const texture = await allocateTexture(device, { label, width: WIDTH, height, format });
  // Block by block, so that the copy is small; `writeTexture` has copied it when it returns.
  const packed = new Float32Array(blockRows * INPUTS * BLOCK);
  for (let block = 0; block < blocks; block++) {
    packBlock(packed, values, { ...shape, block });
    device.queue.writeTexture(
      { texture, origin: [0, block * blockRows] },
      bytesOf(packed),
      { bytesPerRow: WIDTH * texel },
      [WIDTH, blockRows],
    );
  }
  return {
    resource: texture.createView(),
    pitch: blockRows,
    bytes: WIDTH * height * texel,
    destroy: () => texture.destroy(),
  };
}

/** Writes the columns of one block, input by input; missing columns of the last block are zeros. */
function packBlock(
  packed: Float32Array,
  values: Float32Array,
  { inputs, outputs, block }: LinearShape & { readonly block: number },
): void {
  const begin = block * BLOCK;
  const end = Math.min(begin + BLOCK, outputs);
  if (end < begin + BLOCK) packed.fill(0);
  for (let k = 0; k < inputs; k++) {
    packed.set(values.subarray(k * outputs + begin, k * outputs + end), k * BLOCK);
  }
}
