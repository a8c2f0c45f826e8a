import { allocate, checkStorage, largestStorage } from "./allocate.ts";

const SMALLEST = 64 * 1024;

/** Scratch memory on the device that grows to the largest requested size, and keeps it until {@linkcode shrink}. */
export class GrowingBuffer {
  readonly #device: GPUDevice;
  readonly #label: string;
  readonly #usage: number;
  #buffer: GPUBuffer | undefined;

  /** @param usage Flags of `GPUBufferUsage` beside storage and copies. */
  constructor(device: GPUDevice, label: string, usage = 0) {
    this.#device = device;
    this.#label = label;
    this.#usage = usage | GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC |
      GPUBufferUsage.COPY_DST;
  }

  /** The current buffer, if there is one. */
  get buffer(): GPUBuffer | undefined {
    return this.#buffer;
  }

  /**
   * Returns a buffer of at least `bytes` bytes. An earlier buffer may be destroyed.
   *
   * @throws {AllocationError} If the device has no room.
   */
  async atLeast(bytes: number): Promise<GPUBuffer> {
    if (this.#buffer && this.#buffer.size >= bytes) return this.#buffer;
    checkStorage(this.#device, { label: this.#label, bytes });
    // Powers of two, so that typing does not make a new buffer at each letter.
    const power = Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(bytes)));
    const size = Math.max(bytes, Math.min(power, largestStorage(this.#device)));
    this.#buffer?.destroy();
    this.#buffer = undefined;
    this.#buffer = await allocate(this.#device, {
      label: this.#label,
      bytes: size,
      usage: this.#usage,
    });
    return this.#buffer;
  }
  /** Frees the buffer if it is larger than `most` bytes. */
  shrink(most: number): void {
    if (!this.#buffer || this.#buffer.size <= most) return;
    this.#buffer.destroy();
    this.#buffer = undefined;
  }
}
