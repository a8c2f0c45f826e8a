import { LRUCache } from "lru-cache";
import { isLong, pause } from "../../pauses.ts";
import type { BatchQuestion, BegunRow, RowAnswer } from "./batch_question.ts";
import type { RowPrompt } from "./prompt_column.ts";

/** Rows that are begun before the first of them is taken, and about how many bytes of answers. */
const WINDOW = 64;
const WINDOW_BYTES = 64 * 2 ** 20;
/** The most bytes of answers that are kept for later rows with the same question. */
const KEPT_BYTES = 16 * 2 ** 20;
/** About how many bytes an answer takes in memory beside those of Arrow. */
const ANSWER_BYTES = 1024;

/** A row that is asked. */
export interface AskedRow {
  readonly prompt: RowPrompt;
  /** Why it could not be read, if so. */
  readonly fault: string | undefined;
}

/** Answers rows in their order, a window of them at once, and those that ask the same once. */
export class RowAnswers {
  readonly #question: BatchQuestion;
  readonly #pending = new Map<string, Promise<RowAnswer>>();
  readonly #kept = new LRUCache<string, RowAnswer>({
    maxSize: KEPT_BYTES,
    sizeCalculation: ({ bytes }) => ANSWER_BYTES + bytes,
  });

  constructor(question: BatchQuestion) {
    this.#question = question;
  }

  /**
   * Answers some rows. No more of them are begun than the window has room for, so that a slow reader slows it.
   *
   * @throws {InfoflowError} What is no row's fault, see {@linkcode BatchQuestion.begin}.
   */
  async *of(rows: Iterable<AskedRow>): AsyncGenerator<RowAnswer> {
    const window: BegunRow[] = [];
    let bytes = 0;
    const first = (): Promise<RowAnswer> => {
      const row = window.shift()!;
      bytes -= row.bytes;
      return row.answer;
    };
    for (const row of rows) {
      while (window.length === WINDOW || window.length > 0 && bytes > WINDOW_BYTES) {
        yield await first();
      }
      if (isLong()) await pause();
      await this.#question.prepare(row.prompt);
      const begun = this.#begin(row);
      begun.answer.catch(() => {}); // thrown where it is its turn
      bytes += begun.bytes;
      window.push(begun);
    }
    while (window.length > 0) yield await first();
  }

  #begin({ prompt, fault }: AskedRow): BegunRow {
    if (prompt === null || fault !== undefined) return this.#question.begin(prompt, fault);
    const key = "prompt" in prompt ? `p${prompt.prompt}` : `i${prompt.ids}`;
    const known = this.#kept.get(key);
    if (known) return { bytes: 0, answer: Promise.resolve(known) };
    const pending = this.#pending.get(key);
    if (pending) return { bytes: 0, answer: pending };
    const { bytes, answer } = this.#question.begin(prompt);
    const kept = answer.then((row) => {
      this.#kept.set(key, row);
      return row;
    }).finally(() => this.#pending.delete(key));
    this.#pending.set(key, kept);
    return { bytes, answer: kept };
  }
}
