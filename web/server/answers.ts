/** A question to the server. */
export interface Question<Answer> {
  /** Equal keys have equal answers. */
  readonly key: string;
  /** How many answers of this question's kind are kept. The kind is the part of the key before its first space. */
  readonly kept?: number;
  /** Gets the answer. */
  readonly fetch: (signal: AbortSignal) => Promise<Answer>;
}

interface Entry {
  readonly promise: Promise<unknown>;
  readonly controller: AbortController;
  readonly kind: string;
  isSettled: boolean;
}

const KEPT = 16;

/** Answers by their question: each is asked once, the last few are kept, and those no longer needed are cancelled. */
export class Answers {
  readonly #entries = new Map<string, Entry>();

  /** The answer, from here or from the server. A failure is forgotten, so that asking again asks again. */
  ask<Answer>({ key, kept = KEPT, fetch }: Question<Answer>): Promise<Answer> {
    const known = this.#entries.get(key);
    if (known) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known.promise as Promise<Answer>;
    }
    const controller = new AbortController();
    const kind = key.split(" ", 1)[0]!;
    const promise = fetch(controller.signal).then((answer) => {
      entry.isSettled = true;
      this.#trim(kind, kept);
      return answer;
    }, (error) => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
      throw error;
    });
    const entry: Entry = { controller, kind, isSettled: false, promise };
    this.#entries.set(key, entry);
    return promise;
  }

  /** Cancels the questions under way, except these. */
  want(keys: ReadonlySet<string>): void {
    for (const [key, { controller, isSettled }] of this.#entries) {
      if (isSettled || keys.has(key)) continue;
      this.#entries.delete(key);
      controller.abort();
    }
  }

  /** Forgets an answer that may have changed. */
  forget(key: string): void {
    this.#entries.delete(key);
  }

  #trim(kind: string, kept: number): void {
    const ofKind = [...this.#entries].filter(([, entry]) => entry.kind === kind);
    const settled = ofKind.filter(([, { isSettled }]) => isSettled);
    for (const [key] of settled.slice(0, Math.max(0, ofKind.length - kept))) {
      this.#entries.delete(key);
    }
  }
}
