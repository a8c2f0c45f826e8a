import { allocateTexture, TEXEL } from "../gpu/allocate.ts";
import { ENCODER_BLOCK as BLOCK, ENCODER_INPUTS as INPUTS } from "../kernels/sae_encode.ts";

/** Texels of a row. */
const WIDTH = INPUTS * BLOCK / 4;

/** Some of an encoder's columns on the device. */
export interface EncoderTexture {
  readonly texture: GPUTexture;
  /** The first feature, and the one after the last. */
  readonly first: number;
  readonly end: number;
  /** Rows of the texture that a block of columns takes. */
  readonly pitch: number;
  readonly bytes: number;
}

/** Options of an encoder's upload. */
export interface EncoderOptions {
  readonly label: string;
  /** n */
  readonly inputs: number;
  /** F */
  readonly features: number;
  /** The most rows of a texture; the device's limit by default. */
  readonly mostRows?: number | undefined;
}

/**
 * Puts an encoder (n, F) on the device, in as few textures as their height allows.
 *
 * @throws {AllocationError} If the device has no room.
 */
export async function uploadEncoder(
  device: GPUDevice,
  encoder: Float32Array,
  { label, inputs, features, mostRows = device.limits.maxTextureDimension2D }: EncoderOptions,
): Promise<EncoderTexture[]> {
  const pitch = Math.ceil(inputs / INPUTS);
  // A texel less: textures of powers of two are made one larger.
  const most = Math.floor((mostRows - 1) / pitch) * BLOCK;
  const packed = new Float32Array(pitch * INPUTS * BLOCK);
  const textures: EncoderTexture[] = [];
  try {
    for (let first = 0; first < features; first += most) {
      const end = Math.min(first + most, features);
      const height = Math.ceil((end - first) / BLOCK) * pitch;
      const texture = await allocateTexture(device, {
        label: `encoder of ${label}, features ${first} to ${end - 1}`,
        width: WIDTH,
        height,
      });
      const bytes = texture.width * texture.height * TEXEL;
      textures.push({ texture, first, end, pitch, bytes });
      for (let begin = first; begin < end; begin += BLOCK) {
        const stop = Math.min(begin + BLOCK, end);
        if (stop < begin + BLOCK) packed.fill(0);
        for (let k = 0; k < inputs; k++) {
          packed.set(encoder.subarray(k * features + begin, k * features + stop), k * BLOCK);
        }
        device.queue.writeTexture(
          { texture, origin: [0, (begin - first) / BLOCK * pitch] },
          packed,
          { bytesPerRow: WIDTH * TEXEL },
          [WIDTH, pitch],
        );
      }
    }
    return textures;
  } catch (error) {
    for (const { texture } of textures) texture.destroy();
    throw error;
  }
}
