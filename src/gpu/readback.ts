import { allocate } from "./allocate.ts";

/** A buffer that results are copied to and read from. */
export interface Staging {
  readonly buffer: GPUBuffer;
}

interface Slot extends Staging {
  state: "free" | "held" | "settling";
  /** Resolves when a settling buffer is free. */
  settled: Promise<void>;
}

/** So many buffers of a size are made before a request waits for one to come free. */
const RING = 4;
const SMALLEST = 4096;

/**
 * Reads results from the device without waiting for the event loop.
 *
 * In Deno, `mapAsync` returns when the device is done, but its promise resolves 10 ms later. The bytes are there all
 * the same: `getMappedRange` gives them at once, if the buffer has been mapped before (on one that never was it stops
 * the whole process, so each is mapped once, awaited, when it is made). The promise must still resolve before the
 * buffer is used again; a ring of buffers for each size hides that. Where a runtime refuses the early look, the
 * promise is awaited as the standard has it.
 */
export class Readback {
  readonly #device: GPUDevice;
  readonly #rings = new Map<number, Slot[]>();
  /** How many reads had to wait for the promise. */
  lateReads = 0;

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  /**
   * Takes a staging buffer of at least so many bytes; {@linkcode take} gives it back.
   *
   * @throws {AllocationError} If the device has no room for it.
   */
  async acquire(bytes: number): Promise<Staging> {
    const size = Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(bytes)));
    let ring = this.#rings.get(size);
    if (!ring) this.#rings.set(size, ring = []);
    const free = ring.find((slot) => slot.state === "free");
    if (free) return hold(free);
    if (ring.length < RING) return await this.#make(size, ring);
    const settling = ring.filter((slot) => slot.state === "settling");
    await Promise.race(settling.map((slot) => slot.settled));
    return await this.acquire(bytes);
  }

  async #make(size: number, ring: Slot[]): Promise<Slot> {
    const buffer = await allocate(this.#device, {
      label: `staging of ${size} bytes`,
      bytes: size,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
    await buffer.mapAsync(GPUMapMode.READ);
    buffer.unmap();
    const slot: Slot = { buffer, state: "held", settled: Promise.resolve() };
    ring.push(slot);
    return slot;
  }

  /** Gives a staging buffer back that nothing was copied to. */
  release(staging: Staging): void {
    (staging as Slot).state = "free";
  }

  /**
   * Copies out what submitted commands left in a staging buffer, and gives the buffer back.
   *
   * @returns The first `bytes` bytes, in a buffer of their own.
   */
  async take(staging: Staging, bytes: number): Promise<ArrayBuffer> {
    const slot = staging as Slot;
    const { buffer } = slot;
    const mapped = buffer.mapAsync(GPUMapMode.READ, 0, bytes);
    try {
      const copy = buffer.getMappedRange(0, bytes).slice(0);
      slot.state = "settling";
      slot.settled = mapped.then(() => unmap(slot));
      slot.settled.catch(() => {}); // a lost device: whoever waits for the slot is told
      return copy;
    } catch {
      this.lateReads++;
      await mapped;
      const copy = buffer.getMappedRange(0, bytes).slice(0);
      unmap(slot);
      return copy;
    }
  }
}

function hold(slot: Slot): Slot {
  slot.state = "held";
  return slot;
}

function unmap(slot: Slot): void {
  slot.buffer.unmap();
  slot.state = "free";
}
