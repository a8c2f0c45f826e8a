import { Answers, type Question } from "../server/answers.ts";
import { Failure } from "../server/failure.ts";
import { explain } from "../widgets/status.ts";

/** Seconds after which a question is asked again, where the server says none; twice as long each time. */
const FIRST_PAUSE = 1;
const LONGEST_PAUSE = 16;
const LOADING_SHOWS_AFTER = 400;

/** Asks the server, shows why it doesn't answer, and asks again if the reason may pass. */
export class Asker {
  readonly #answers = new Answers();
  readonly #status: HTMLElement;

  /** @param status The line that says what the page can't do. */
  constructor(status: HTMLElement) {
    this.#status = status;
  }

  /** Asks until the server answers; throws where asking again would not help. */
  async ask<Answer>(question: Question<Answer>): Promise<Answer> {
    let pause = FIRST_PAUSE;
    for (;;) {
      const loading = setTimeout(() => this.#say("loading", "Reading …"), LOADING_SHOWS_AFTER);
      try {
        const answer = await this.#answers.ask(question);
        this.#say();
        return answer;
      } catch (error) {
        if (!(error instanceof Failure)) throw error;
        const wait = error.wait ?? pause;
        this.#say(error.kind, explain(error, error.passes ? wait : undefined));
        if (!error.passes) throw error;
        pause = Math.min(LONGEST_PAUSE, 2 * pause);
        await new Promise((resolve) => setTimeout(resolve, 1000 * wait));
      } finally {
        clearTimeout(loading);
      }
    }
  }

  #say(kind = "", message = ""): void {
    if (kind) this.#status.dataset["kind"] = kind;
    else delete this.#status.dataset["kind"];
    if (this.#status.textContent !== message) this.#status.textContent = message;
  }
}
