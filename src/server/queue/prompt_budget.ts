import { InfoflowError } from "../../errors.ts";

/** The budget of different prompts of one request. */
export class PromptBudget {
  readonly #limit: number;
  readonly #passes = new Set<string>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Counts a prompt, once however often it is asked about. It waits for what else the same query asks for, so that of a
   * query that wants too much nothing is computed.
   *
   * @param key Equal for requests that share a pass.
   * @throws {InfoflowError} BAD_USER_INPUT, with `passes` and `limit`.
   */
  async claim(key: string): Promise<void> {
    this.#passes.add(key);
    await Promise.resolve();
    const { size } = this.#passes;
    if (size <= this.#limit) return;
    throw new InfoflowError(
      "BAD_USER_INPUT",
      `Cannot compute ${size} prompts in a request as the limit is ${this.#limit}: ask for the others in further requests`,
      { passes: size, limit: this.#limit },
    );
  }
}
