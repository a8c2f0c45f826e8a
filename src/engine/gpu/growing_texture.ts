import { allocateTexture } from "./allocate.ts";

/** Scratch textures on the device, as many and as high as the most that was asked for. */
export class GrowingTexture {
  readonly #device: GPUDevice;
  readonly #size: { readonly label: string; readonly width: number; readonly layers: number };
  #texture: GPUTexture | undefined;

  /** @param size Texels of a row, and how many array layers there are. */
  constructor(device: GPUDevice, size: { label: string; width: number; layers: number }) {
    this.#device = device;
    this.#size = size;
  }

  /** The textures as they stand, if there are any. */
  get texture(): GPUTexture | undefined {
    return this.#texture;
  }

  /**
   * Gives textures of at least `rows` rows. Textures that were given before may be destroyed.
   *
   * @throws {AllocationError} If the device has no room.
   */
  async atLeast(rows: number): Promise<GPUTexture> {
    if (this.#texture && this.#texture.height >= rows) return this.#texture;
    this.#texture?.destroy();
    this.#texture = undefined;
    // Some more, so that a prompt that is typed on doesn't make new ones at each letter.
    const height = Math.ceil(rows / 32) * 32;
    return this.#texture = await allocateTexture(this.#device, { ...this.#size, height });
  }
}
