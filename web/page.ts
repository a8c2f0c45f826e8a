import { count } from "./draw/format.ts";
import { currentTheme, onThemeChange } from "./draw/theme.ts";
import type { Exhibit } from "./exhibits/exhibit.ts";
import { bosOf, type PageState, type ViewName, withoutBos } from "./page_state.ts";
import { Answers } from "./server/answers.ts";
import { Failure } from "./server/failure.ts";
import { type Reading, type ServerCard, serverQuestion, tokensOf } from "./server/reading.ts";
import type { Stage } from "./stage.ts";
import { MAKE } from "./views/make.ts";
import type { Asked, Tools, View } from "./views/view.ts";
import { explain, type Status, type StatusAction } from "./widgets/status.ts";
import { within } from "./within.ts";

/** Parts of the page that the state is shown in. */
export interface PageParts {
  readonly stage: Stage;
  readonly tools: Tools;
  readonly status: Status;
  readonly count: HTMLElement;
  /** Shows which models there are, and which one answers. */
  readonly showServer: (server: ServerCard, state: PageState) => void;
  /** Told what is shown now; nothing while that is not what is asked for. */
  readonly offer: (exhibit: Exhibit | undefined) => void;
}

const LONGEST_PAUSE = 8;
const LOADING_SHOWS_AFTER = 400;
const MORE_AFTER = 120;
const ENDS_WITH_SPACE =
  "The prompt ends with a space. Tokens begin with theirs, so what comes next is odd.";
/** After this many failures in a row the page no longer asks by itself. */
const MOST_TIMEOUTS = 2;

/**
 * Gets what a state needs and shows it. What is asked for and what is shown are two things: the newest state wins, what
 * older ones asked for is broken off or dropped, and until its picture is there the one that is shown is marked as old.
 */
export class Page {
  readonly #parts: PageParts;
  readonly #answers = new Answers();
  readonly #views = new Map<ViewName, View>();
  #state: PageState | undefined;
  #note = "";
  #shown: PageState | undefined;
  #run = 0;
  #pause = 1;
  #timeouts = 0;
  #retry: number | undefined;

  constructor(parts: PageParts) {
    this.#parts = parts;
    addEventListener("online", () => this.#again());
    document.addEventListener("visibilitychange", () => !document.hidden && this.#again());
    onThemeChange(() => this.#state && this.show(this.#state, this.#note));
  }

  /**
   * Shows a state as soon as it can.
   *
   * @param note What there is to say of it beside the picture.
   */
  show(state: PageState, note = ""): Promise<void> {
    this.#timeouts = 0;
    return this.#show(state, note);
  }

  async #show(state: PageState, note: string): Promise<void> {
    this.#state = state;
    this.#note = note;
    const run = ++this.#run;
    const isNewest = (): boolean => run === this.#run;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const { stage, status, offer } = this.#parts;
    stage.waits(true);
    offer(undefined);
    const progress = this.#showProgress(isNewest);
    try {
      const { view, asked, notes } = await this.#ask(state, isNewest);
      if (!isNewest()) return;
      this.#pause = 1;
      this.#timeouts = 0;
      this.#shown = state;
      stage.waits(false);
      const said = [note, ...notes].join(" ").trim();
      status.say(said ? "note" : undefined, said);
      this.#askMore(view, asked);
    } catch (error) {
      if (isNewest()) this.#fail(error);
    } finally {
      clearTimeout(progress.timer);
    }
  }

  /** The parts below the picture wait until the user stops typing; if one fails, only that part is missing. */
  async #askMore(view: View, asked: Asked): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, MORE_AFTER));
    if (!asked.isNewest()) return;
    if (/\S $/.test(asked.state.prompt)) this.#parts.status.say("note", ENDS_WITH_SPACE);
    await view.afterwards?.(asked).catch(() => {});
  }

  /** Says how long a question has taken, with a button to cancel it, once the answer takes a while. */
  #showProgress(isNewest: () => boolean): { timer: number } {
    const begun = performance.now();
    const tick = (): void => {
      if (!isNewest()) return;
      const seconds = Math.floor((performance.now() - begun) / 1000);
      const elapsed = seconds > 0 ? ` ${count(seconds)} s` : "";
      this.#parts.status.say("loading", `Reading the model’s attention …${elapsed}`, [
        { name: "Cancel", act: () => this.#cancel() },
      ]);
      progress.timer = setTimeout(tick, 1000);
    };
    const progress = { timer: setTimeout(tick, LOADING_SHOWS_AFTER) };
    return progress;
  }

  #cancel(): void {
    if (this.#shown) return this.#parts.tools.change(this.#shown, "replace");
    this.#run++;
    this.#answers.want(new Set());
    this.#parts.status.say("note", "Cancelled.", [this.#askAgain]);
  }

  get #askAgain(): StatusAction {
    return { name: "Ask again", act: () => this.#state && this.show(this.#state, this.#note) };
  }

  async #ask(
    state: PageState,
    isNewest: () => boolean,
  ): Promise<{ view: View; asked: Asked; notes: readonly string[] }> {
    const wanted = new Set<string>();
    const ask: Asked["ask"] = (question) => {
      wanted.add(question.key);
      const answer = this.#answers.ask(question);
      // If several answers fail, one failure is shown; a view need not await them together.
      answer.catch(() => {});
      return answer;
    };
    if (state.prompt === "") {
      this.#answers.want(wanted);
      this.#parts.count.textContent = "";
      throw new Failure("empty", "There is no prompt");
    }
    const server = await ask(serverQuestion);
    if (isNewest()) this.#parts.showServer(server, state);
    const { state: possible, notes, model } = within(state, server);
    const reading = {
      model,
      tokens: await ask(tokensOf(possible.prompt, possible.model, withoutBos(possible))),
    };
    const view = this.#viewOf(possible.view);
    const bos = bosOf(possible);
    const asked: Asked = {
      state: possible,
      bos,
      reading,
      spans: bos === "DROP" ? reading.tokens.slice(1) : reading.tokens,
      theme: currentTheme(),
      ask,
      keep: ({ key }) => wanted.add(key),
      isNewest,
      present: (exhibit, draw) => {
        if (!isNewest()) return;
        this.#parts.stage.present(possible.view, view, exhibit);
        draw();
        this.#parts.offer(exhibit);
      },
    };
    if (isNewest()) {
      this.#showCount(reading);
      const shown = view.show(asked);
      this.#answers.want(wanted);
      await shown;
    }
    return { view, asked, notes };
  }

  #viewOf(name: ViewName): View {
    const known = this.#views.get(name) ?? MAKE[name](this.#parts.tools);
    this.#views.set(name, known);
    return known;
  }

  #showCount({ model, tokens }: Reading): void {
    this.#parts.count.textContent = `${count(tokens.length)} of ${
      count(model.context)
    } tokens, BOS among them`;
    this.#parts.count.classList.remove("over");
  }

  #fail(error: unknown): void {
    const { status, stage } = this.#parts;
    stage.fails();
    if (!(error instanceof Failure)) {
      status.say("broken", "The page could not read the answer. Reloading it may help.");
      throw error;
    }
    if (error.tokens !== undefined && error.limit !== undefined) {
      this.#parts.count.textContent = `${count(error.tokens)} of ${count(error.limit)} tokens`;
      this.#parts.count.classList.add("over");
    }
    // It may come back with other models.
    if (error.kind === "gone") this.#answers.forget(serverQuestion.key);
    if (error.kind === "timed-out") this.#timeouts++;
    const asksAgain = error.passes && this.#timeouts < MOST_TIMEOUTS;
    const pause = error.wait ?? this.#pause;
    status.say(error.kind, explain(error, asksAgain ? pause : undefined), this.#waysOut(error));
    if (!asksAgain) return;
    this.#pause = Math.min(LONGEST_PAUSE, 2 * this.#pause);
    this.#retry = setTimeout(() => this.#again(), 1000 * pause);
  }

  #waysOut({ kind }: Failure): readonly StatusAction[] {
    const { change } = this.#parts.tools;
    const shown = this.#shown;
    const isPrompt = kind === "empty" || kind === "too-long";
    return [
      ...kind === "timed-out" ? [this.#askAgain] : [],
      ...shown && !isPrompt
        ? [{ name: "Back to what is shown", act: () => change(shown, "replace") }]
        : !shown && this.#state?.method !== "ATTENTION" && !isPrompt
        ? [{ name: "Show attention instead", act: () => change({ method: "ATTENTION" }) }]
        : [],
    ];
  }

  /** Asks again if the last question failed for a passing reason. */
  #again(): void {
    if (this.#retry !== undefined && this.#state) this.#show(this.#state, this.#note);
  }
}
