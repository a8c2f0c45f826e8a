import { InfoflowError } from "../../errors.ts";
import type { Caller } from "../queue/caller.ts";

/** Rows that are begun within this many ms share a deadline and its timer. */
const TOGETHER_MS = 1000;

/** The client of a batch. Each row has the deadline of a request; all of them together have none. */
export class RowCaller implements Caller {
  readonly priority = "batch";
  readonly #deadline: number;
  readonly #client = new AbortController();
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #newest: { readonly signal: AbortSignal; readonly since: number } | undefined;

  /**
   * @param deadline How long a row may take from when it is begun, in ms; up to a second more.
   * @param note Called with each answer.
   */
  constructor(deadline: number, readonly note: NonNullable<Caller["note"]>) {
    this.#deadline = deadline;
  }

  /** Aborted, with an {@linkcode InfoflowError}, when a row that is begun now is not waited for any more. */
  get signal(): AbortSignal {
    const now = performance.now();
    if (!this.#newest || now - this.#newest.since > TOGETHER_MS) {
      this.#newest = { signal: this.#withDeadline(), since: now };
    }
    return this.#newest.signal;
  }

  /** To be called when the client went away. */
  leave(): void {
    this.#client.abort(new InfoflowError("CANCELLED", "The client went away"));
  }

  /** To be called when all rows are answered, or none is waited for. */
  end(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }

  #withDeadline(): AbortSignal {
    const late = new AbortController();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      late.abort(tooLate(this.#deadline));
    }, this.#deadline + TOGETHER_MS);
    this.#timers.add(timer);
    return AbortSignal.any([this.#client.signal, late.signal]);
  }
}

function tooLate(deadline: number): InfoflowError {
  return new InfoflowError(
    "DEADLINE_EXCEEDED",
    `Cannot answer the row within ${deadline / 1000} seconds: ask again, or with a shorter prompt`,
    { deadline },
  );
}
