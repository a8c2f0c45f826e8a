interface Entry<Answer> {
  readonly promise: Promise<Answer>;
  readonly controller: AbortController;
  isSettled: boolean;
}

/** Answers by their question: each is asked once, the last few are kept, and what nobody waits for is broken off. */
export class Answers<Answer> {
  readonly #ask: (question: string, signal: AbortSignal) => Promise<Answer>;
  readonly #kept: number;
  readonly #entries = new Map<string, Entry<Answer>>();

  /**
   * @param ask Gets the answer to a question.
   * @param kept How many answers are kept.
   */
  constructor(ask: (question: string, signal: AbortSignal) => Promise<Answer>, kept: number) {
    this.#ask = ask;
    this.#kept = kept;
  }

  /** The answer, from here or from the server. A failure is forgotten, so that asking again asks again. */
  get(question: string): Promise<Answer> {
    const known = this.#entries.get(question);
    if (known) {
      this.#entries.delete(question);
      this.#entries.set(question, known);
      return known.promise;
    }
    const controller = new AbortController();
    const entry: Entry<Answer> = {
      controller,
      isSettled: false,
      promise: this.#ask(question, controller.signal).then((answer) => {
        entry.isSettled = true;
        this.#trim();
        return answer;
      }, (error) => {
        if (this.#entries.get(question) === entry) this.#entries.delete(question);
        throw error;
      }),
    };
    this.#entries.set(question, entry);
    return entry.promise;
  }

  /** Breaks off what is under way, but for these questions. */
  want(questions: readonly string[]): void {
    for (const [question, { controller, isSettled }] of this.#entries) {
      if (isSettled || questions.includes(question)) continue;
      this.#entries.delete(question);
      controller.abort();
    }
  }

  #trim(): void {
    for (const [question, { isSettled }] of this.#entries) {
      if (this.#entries.size <= this.#kept) return;
      if (isSettled) this.#entries.delete(question);
    }
  }
}
