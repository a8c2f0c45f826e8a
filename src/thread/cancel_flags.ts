import { MOST_REQUESTS } from "../requests/engine_request.ts";

/** The states of a slot. */
const FREE = 0;
const WAITING = 1;
const RUNNING = 2;
const CANCELLED = 3;

/** Two full batches are at a worker at once at most: one at work, and one that it can turn to. */
const SLOTS = 2 * MOST_REQUESTS;

/**
 * Shared memory by which the main thread cancels requests at the worker, and the worker shows that it is alive: its
 * thread reads no messages while the device works. Each request has a slot that both threads see.
 */
export class CancelFlags {
  readonly memory: SharedArrayBuffer;
  readonly #slots: Int32Array;
  readonly #beat: BigInt64Array;

  /** @param memory The memory of the other thread's flags. */
  constructor(
    memory: SharedArrayBuffer = new SharedArrayBuffer(
      SLOTS * Int32Array.BYTES_PER_ELEMENT + BigInt64Array.BYTES_PER_ELEMENT,
    ),
  ) {
    this.memory = memory;
    this.#slots = new Int32Array(memory, 0, SLOTS);
    this.#beat = new BigInt64Array(memory, SLOTS * Int32Array.BYTES_PER_ELEMENT, 1);
    if (Atomics.load(this.#beat, 0) === 0n) this.beat();
  }

  /** Says that the worker is alive, on its side: between the pieces of its work. */
  beat(): void {
    Atomics.store(this.#beat, 0, BigInt(Date.now()));
  }

  /** How long ago the worker said so, in ms. */
  get sinceBeat(): number {
    return Date.now() - Number(Atomics.load(this.#beat, 0));
  }

  /** How many requests are at the worker, begun or not. */
  get taken(): number {
    let taken = 0;
    for (let slot = 0; slot < this.#slots.length; slot++) {
      if (Atomics.load(this.#slots, slot) !== FREE) taken++;
    }
    return taken;
  }

  /**
   * Takes a slot for a request that waits.
   *
   * @throws {RangeError} If all are taken.
   */
  take(): number {
    const slot = this.#slots.indexOf(FREE);
    if (slot < 0) {
      throw new RangeError(
        `Cannot send a request as ${SLOTS} at most may be at the worker: current value is ${SLOTS}`,
      );
    }
    Atomics.store(this.#slots, slot, WAITING);
    return slot;
  }

  /** Gives a slot back; its request was answered. */
  free(slot: number): void {
    Atomics.store(this.#slots, slot, FREE);
  }

  /** Tells the worker that the callers of a request are gone. */
  cancel(slot: number): void {
    Atomics.store(this.#slots, slot, CANCELLED);
  }

  /** Whether its callers are gone. */
  isCancelled(slot: number): boolean {
    return Atomics.load(this.#slots, slot) === CANCELLED;
  }

  /**
   * Begins a request, on the worker's side.
   *
   * @returns Whether a caller still waits for it.
   */
  begin(slot: number): boolean {
    return Atomics.compareExchange(this.#slots, slot, WAITING, RUNNING) === WAITING;
  }

  /** Whether the worker began it. */
  hasBegun(slot: number): boolean {
    return Atomics.load(this.#slots, slot) !== WAITING;
  }
}
