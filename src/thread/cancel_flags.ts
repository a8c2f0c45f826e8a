/** How far a call is. */
const FREE = 0;
const WAITING = 1;
const RUNNING = 2;
const CANCELLED = 3;

/** More than are ever on their way to a worker at once. */
const PLACES = 64;

/**
 * What the main thread and a worker know of each other's calls without a message: the worker's thread reads none while
 * the device works. Each call has a place on the board, in memory that both threads see.
 */
export class CallBoard {
  readonly memory: SharedArrayBuffer;
  readonly #places: Int32Array;

  /** @param memory That of the other thread's board. */
  constructor(
    memory: SharedArrayBuffer = new SharedArrayBuffer(PLACES * Int32Array.BYTES_PER_ELEMENT),
  ) {
    this.memory = memory;
    this.#places = new Int32Array(memory);
  }

  /** Takes a place for a call that waits. */
  take(): number {
    const place = this.#places.indexOf(FREE);
    if (place < 0) throw new RangeError("Cannot send a call as all places are taken");
    Atomics.store(this.#places, place, WAITING);
    return place;
  }

  /** Gives a place back; its call was answered. */
  free(place: number): void {
    Atomics.store(this.#places, place, FREE);
  }

  /** Tells the worker that nobody waits for a call any more. */
  cancel(place: number): void {
    Atomics.store(this.#places, place, CANCELLED);
  }

  /** Whether nobody waits for it any more. */
  isCancelled(place: number): boolean {
    return Atomics.load(this.#places, place) === CANCELLED;
  }

  /**
   * Begins a call, on the worker's side.
   *
   * @returns Whether somebody still waits for it.
   */
  begin(place: number): boolean {
    return Atomics.compareExchange(this.#places, place, WAITING, RUNNING) === WAITING;
  }

  /** Whether the worker began it. */
  hasBegun(place: number): boolean {
    return Atomics.load(this.#places, place) !== WAITING;
  }
}
