import { allocate, TEXEL } from "./allocate.ts";

/** Some bytes of a buffer; multiples of 4. */
export interface BufferPart {
  readonly buffer: GPUBuffer;
  /** Where they begin; at the buffer's beginning by default. */
  readonly offset?: number | undefined;
  readonly bytes: number;
}

/** A row of texels of a texture of four float32 a texel, from its first on. */
export interface TexturePart {
  readonly texture: GPUTexture;
  readonly row: number;
  readonly bytes: number;
}

/** The parts to read back, one after the other. Rows of textures begin at multiples of 16 bytes. */
export type DeviceResult = readonly (BufferPart | TexturePart)[];

/** A buffer that results are copied to and read from. */
export interface Staging {
  readonly buffer: GPUBuffer;
  /** How many of its bytes are the result. */
  readonly bytes: number;
}

interface Slot extends Staging {
  bytes: number;
  state: "free" | "held" | "settling";
  /** Resolves when a settling buffer is free. */
  settled: Promise<void>;
}

/** The smallest buffer; the others are powers of two. */
const SMALLEST = 64 * 1024;
/** The most bytes of all buffers of one size, of which there are at most sixteen; then requests wait for a free one. */
const RING_BYTES = 16 * 2 ** 20;
const MOST = 16;
/** A larger buffer is freed after its read. */
const LARGEST_KEPT = 64 * 2 ** 20;

/**
 * Reads results from the device without waiting for the event loop.
 *
 * In Deno, `mapAsync` returns when the device is done, but its promise resolves 10 ms later. The bytes are there before
 * that: `getMappedRange` gives them at once, if the buffer has been mapped before (on one that never was it stops the
 * whole process, so each is mapped once, awaited, when it is made). The promise must still resolve before the buffer is
 * used again; a ring of buffers for each size hides that. If a runtime refuses the early read, the promise is awaited,
 * as the standard says.
 */
export class Readback {
  readonly #device: GPUDevice;
  readonly #rings = new Map<number, readonly Slot[]>();
  /** How many reads had to wait for the promise. */
  lateReads = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /**
   * Takes a staging buffer for a result; {@linkcode take} or {@linkcode release} gives it back.
   *
   * @throws {AllocationError} If the device has no room for it.
   */
  async acquire(parts: readonly { readonly bytes: number }[]): Promise<Staging> {
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    const slot = await this.#slotOf(Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(bytes))));
    slot.bytes = bytes;
    slot.state = "held";
    return slot;
  }

  async #slotOf(size: number): Promise<Slot> {
    const ring = this.#rings.get(size) ?? await this.#makeRing(size);
    const free = ring.find((slot) => slot.state === "free");
    if (free) return free;
    const settling = ring.filter((slot) => slot.state === "settling");
    await Promise.race(settling.map((slot) => slot.settled));
    return await this.#slotOf(size);
  }

  /** All at once, because a buffer's first mapping takes 10 ms, and several at a time take no longer. */
  async #makeRing(size: number): Promise<readonly Slot[]> {
    const length = Math.min(MOST, Math.max(1, Math.floor(RING_BYTES / size)));
    const ring = await Promise.all(Array.from({ length }, () => this.#make(size)));
    this.#rings.set(size, ring);
    return ring;
  }

  async #make(size: number): Promise<Slot> {
    const buffer = await allocate(this.#device, {
      label: `staging of ${size} bytes`,
      bytes: size,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    await buffer.mapAsync(GPUMapMode.READ);
    buffer.unmap();
    return { buffer, bytes: 0, state: "free", settled: Promise.resolve() };
  }

  /** Records the copy of a result into a staging buffer. */
  copy(encoder: GPUCommandEncoder, parts: DeviceResult, { buffer: staging }: Staging): void {
    let offset = 0;
    for (const part of parts) {
      if ("buffer" in part) {
        encoder.copyBufferToBuffer(part.buffer, part.offset ?? 0, staging, offset, part.bytes);
      } else {
        const { texture, row, bytes } = part;
        const source = { texture, origin: [0, row] };
        encoder.copyTextureToBuffer(source, { buffer: staging, offset }, [bytes / TEXEL, 1]);
      }
      offset += part.bytes;
    }
  }

  /** Gives back a staging buffer that is not read. */
  release(staging: Staging): void {
    (staging as Slot).state = "free";
  }

  /**
   * Copies the result out of a staging buffer, and gives the buffer back.
   *
   * @returns The result, in memory of its own.
   */
  async take(staging: Staging): Promise<ArrayBuffer> {
    const slot = staging as Slot;
    const { buffer, bytes } = slot;
    const mapped = buffer.mapAsync(GPUMapMode.READ, 0, bytes);
    try {
      const result = buffer.getMappedRange(0, bytes).slice(0);
      slot.state = "settling";
      slot.settled = mapped.then(() => this.#free(slot));
      slot.settled.catch(() => {}); // a lost device: the next caller that waits for the slot gets the error
      return result;
    } catch {
      this.lateReads++;
      await mapped;
      const result = buffer.getMappedRange(0, bytes).slice(0);
      this.#free(slot);
      return result;
    }
  }

  #free(slot: Slot): void {
    slot.buffer.unmap();
    slot.state = "free";
    if (slot.buffer.size <= LARGEST_KEPT) return;
    this.#rings.delete(slot.buffer.size); // of this buffer alone
    slot.buffer.destroy();
  }

  /** Frees the memory, when no read is running. */
  async destroy(): Promise<void> {
    const slots = [...this.#rings.values()].flat();
    await Promise.all(slots.map((slot) => slot.settled));
    for (const { buffer } of slots) buffer.destroy();
    this.#rings.clear();
  }
}
