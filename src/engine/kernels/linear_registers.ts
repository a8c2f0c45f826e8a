import code from "../../../shaders/linear_registers.wgsl" with { type: "text" };
import { allocateTexture, TEXEL } from "../gpu/allocate.ts";
import { wgslConstant } from "../gpu/wgsl_constant.ts";
import { defineLinear, type LinearShape, type Tiling } from "./linear.ts";

/** Columns of a block. */
const BLOCK = 4 * wgslConstant(code, "COLUMNS");
/** Inputs side by side in a row of the texture, and texels of a row. */
const INPUTS = 4 * wgslConstant(code, "INPUTS");
const WIDTH = INPUTS * BLOCK / 4;

/** Tiles in registers, weights in a texture: see `shaders/linear_registers.wgsl`. */
export const REGISTERS: Tiling = {
  kernel: defineLinear({ name: "linear_registers", code, weights: "readTexture" }),
  pack: async (device, label, { values, shape }) => {
    const blocks = Math.ceil(shape.outputs / BLOCK);
    const blockRows = Math.ceil(shape.inputs / INPUTS);
    const height = blocks * blockRows;
    const texture = await allocateTexture(device, { label, width: WIDTH, height });
    // Block by block, so that the copy is small beside the matrix; `writeTexture` has taken it when it returns.
    const packed = new Float32Array(blockRows * INPUTS * BLOCK);
    for (let block = 0; block < blocks; block++) {
      packBlock(packed, values, { ...shape, block });
      device.queue.writeTexture(
        { texture, origin: [0, block * blockRows] },
        packed,
        { bytesPerRow: WIDTH * TEXEL },
        [WIDTH, blockRows],
      );
    }
    return {
      resource: texture.createView(),
      pitch: blockRows,
      bytes: WIDTH * height * TEXEL,
      destroy: () => texture.destroy(),
    };
  },
};

/** Writes the columns of one block, input by input; those that a last block lacks are zeros. */
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
