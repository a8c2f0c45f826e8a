import { allocateTexture } from "./allocate.ts";

/** Scratch textures on the device, which grow to the largest requested size. */
export class GrowingTexture {
  readonly #device: GPUDevice;
  readonly #size: { readonly label: string; readonly width: number; readonly layers: number };
  #texture: GPUTexture | undefined;

  /** @param size Texels of a row, and how many array layers there are. */
  constructor(device: GPUDevice, size: { label: string; width: number; layers: number }) {
    this.#device = device;
    this.#size = size;
  }

  /** The current textures, if there are any. */
  get texture(): GPUTexture | undefined {
    return this.#texture;
  }

  /**
   * Returns textures of at least `rows` rows. Earlier textures may be destroyed.
   *
   * @throws {AllocationError} If the device has no room.
   */
  async atLeast(rows: number): Promise<GPUTexture> {
    if (this.#texture && this.#texture.height >= rows) return this.#texture;
    this.#texture?.destroy();
    this.#texture = undefined;
    // With some more rows, so that typing does not make new ones at each letter.
    const height = Math.ceil(rows / 32) * 32;
    return this.#texture = await allocateTexture(this.#device, { ...this.#size, height });
  }
}
