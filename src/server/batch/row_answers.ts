import { LRUCache } from "lru-cache";
import type { BatchQuestion, RowAnswer } from "./batch_question.ts";
import type { RowPrompt } from "./prompt_column.ts";

/** Rows that are begun before the first of them is taken. */
const WINDOW = 64;
/** Answers are kept for rows that ask the same later, up to so many bytes. */
const KEPT_BYTES = 16 * 2 ** 20;

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
    sizeCalculation: ({ bytes }) => Math.max(1, bytes),
  });

  constructor(question: BatchQuestion) {
    this.#question = question;
  }

  /**
   * Answers some rows. No more of them are begun than the window has room for, so that whoever takes slowly slows it.
   *
   * @throws {InfoflowError} What is no row's fault, see {@linkcode BatchQuestion.answer}.
   */
  async *of(rows: Iterable<AskedRow>): AsyncGenerator<RowAnswer> {
    const window: Promise<RowAnswer>[] = [];
    for (const row of rows) {
      if (window.length === WINDOW) yield await window.shift()!;
      const answer = this.#answer(row);
      answer.catch(() => {}); // thrown where it is its turn
      window.push(answer);
    }
    while (window.length > 0) yield await window.shift()!;
  }

  #answer({ prompt, fault }: AskedRow): Promise<RowAnswer> {
    if (prompt === null || fault !== undefined) return this.#question.answer(prompt, fault);
    const key = "prompt" in prompt ? `p${prompt.prompt}` : `i${prompt.ids}`;
    const known = this.#kept.get(key);
    if (known) return Promise.resolve(known);
    const pending = this.#pending.get(key);
    if (pending) return pending;
    const answer = this.#question.answer(prompt).then((row) => {
      this.#kept.set(key, row);
      return row;
    }).finally(() => this.#pending.delete(key));
    this.#pending.set(key, answer);
    return answer;
  }
}
