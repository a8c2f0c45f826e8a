import { html } from "./draw/elements.ts";
import { count } from "./draw/format.ts";
import { currentTheme, onThemeChange } from "./draw/theme.ts";
import { bosOf, type PageState } from "./page_state.ts";
import { Answers } from "./server/answers.ts";
import { Failure } from "./server/failure.ts";
import { askForecast } from "./server/forecast.ts";
import { differenceOf, fetchMatrices, type Matrix, panelsOf } from "./server/matrix.ts";
import { askRoutes } from "./server/routes.ts";
import { askScores } from "./server/scores.ts";
import { type Place, questionsOf, routesOf } from "./server/questions.ts";
import { type Reading, readPrompt } from "./server/reading.ts";
import type { Picture } from "./views/picture.ts";
import { explain, say } from "./views/status.ts";

/** Parts of the page that the state is shown in. */
export interface PageParts {
  readonly picture: Picture;
  readonly status: HTMLElement;
  readonly count: HTMLElement;
  readonly model: HTMLElement;
}

const LONGEST_PAUSE = 8;
const LOADING_SHOWS_AFTER = 400;

/**
 * Gets what a state needs and shows it. The newest state wins: what older ones asked for is broken off or dropped, and
 * the picture that is there stays until the new one is.
 */
export class Page {
  readonly #parts: PageParts;
  readonly #readings = new Answers(readPrompt, 16);
  readonly #routes = new Answers(askRoutes, 16);
  readonly #scores = new Answers(askScores, 4);
  readonly #forecasts = new Answers(askForecast, 16);
  readonly #matrices = new Answers(fetchMatrices, 8);
  #state: PageState | undefined;
  #note = "";
  #run = 0;
  #pause = 1;
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
  async show(state: PageState, note = ""): Promise<void> {
    this.#state = state;
    this.#note = note;
    const run = ++this.#run;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const { picture, status } = this.#parts;
    picture.waits(true);
    const slow = setTimeout(
      () => run === this.#run && say(status, "loading", "Reading the model’s attention …"),
      LOADING_SHOWS_AFTER,
    );
    try {
      const notes = [note, ...await this.#draw(state, () => run === this.#run)].join(" ").trim();
      if (run !== this.#run) return;
      this.#pause = 1;
      picture.waits(false);
      say(status, notes ? "note" : undefined, notes);
    } catch (error) {
      if (run === this.#run) this.#fail(error);
    } finally {
      clearTimeout(slow);
    }
  }

  async #draw(state: PageState, isNewest: () => boolean): Promise<readonly string[]> {
    const { picture, status } = this.#parts;
    if (state.prompt === "") {
      this.#readings.want([]);
      this.#matrices.want([]);
      this.#parts.count.textContent = "";
      throw new Failure("empty", "There is no prompt");
    }
    this.#readings.want([state.prompt]);
    const reading = await this.#readings.get(state.prompt);
    if (!isNewest()) return [];
    this.#showReading(reading);
    const { state: possible, notes } = within(state, reading);
    const questions = questionsOf(possible);
    const { stage, panels } = questions;
    this.#matrices.want([stage.url, ...stage.minus ? [stage.minus] : [], ...panels]);
    const theme = currentTheme();
    const spans = bosOf(possible) === "DROP" ? reading.tokens.slice(1) : reading.tokens;
    const shown = { state: possible, reading, spans, theme, url: stage.url };
    if (possible.view === "routes") {
      const routes = await this.#routes.get(JSON.stringify(routesOf(possible)));
      if (isNewest()) picture.showRoutes({ ...shown, routes });
      this.#forecast(possible, isNewest);
      return notes;
    }
    const large = this.#matrixAt(stage).then((matrix) => {
      if (!isNewest()) return;
      picture.showStage({ ...shown, matrix });
      if (status.dataset["kind"] !== "loading") say(status);
    });
    const scores = possible.view === "heads" && possible.sort !== "place"
      ? this.#scores.get(possible.prompt)
      : undefined;
    const small = Promise.all(panels.map((url) => this.#matrices.get(url))).then(async (all) => {
      const known = await scores;
      if (isNewest()) picture.showPanels({ ...shown, all, scores: known });
    });
    await Promise.all([large, small]);
    this.#forecast(possible, isNewest);
    return notes;
  }

  async #matrixAt({ url, panel, minus }: Place): Promise<Matrix> {
    const [whole, other] = await Promise.all(
      [url, ...minus ? [minus] : []].map((place) => this.#matrices.get(place)),
    );
    const matrix = panelsOf(whole!)[panel]!;
    return other ? differenceOf(matrix, panelsOf(other)[panel]!) : matrix;
  }

  /** What comes next is beside the point of the picture: it comes after it, and if it fails only it is missing. */
  async #forecast({ prompt, view, off }: PageState, isNewest: () => boolean): Promise<void> {
    const question = JSON.stringify([prompt, view === "whatif" ? off : ""]);
    this.#forecasts.want([question]);
    const forecast = await this.#forecasts.get(question).catch(() => undefined);
    if (forecast && isNewest()) this.#parts.picture.showForecast(forecast);
  }

  #showReading({ model, device, tokens }: Reading): void {
    this.#parts.count.textContent = `${count(tokens.length)} of ${
      count(model.context)
    } tokens, BOS among them`;
    this.#parts.count.classList.remove("over");
    const kind = device.isFallback ? "on the processor" : `on ${device.description}`;
    this.#parts.model.replaceChildren(
      html("b", {}, model.name),
      ` ${model.layers} layers × ${model.heads} heads, ${kind}`,
    );
  }

  #fail(error: unknown): void {
    if (!(error instanceof Failure)) {
      say(
        this.#parts.status,
        "broken",
        "The page could not read the answer. Reloading it may help.",
      );
      throw error;
    }
    if (error.tokens !== undefined && error.limit !== undefined) {
      this.#parts.count.textContent = `${count(error.tokens)} of ${count(error.limit)} tokens`;
      this.#parts.count.classList.add("over");
    }
    const pause = error.wait ?? this.#pause;
    say(this.#parts.status, error.kind, explain(error, pause));
    if (!error.passes) return;
    this.#pause = Math.min(LONGEST_PAUSE, 2 * this.#pause);
    this.#retry = setTimeout(() => this.#again(), 1000 * pause);
  }

  /** Asks again where the last question failed for a reason that passes. */
  #again(): void {
    if (this.#retry !== undefined && this.#state) this.show(this.#state, this.#note);
  }
}

/** What of a state there is: a link may ask for a layer of another model. */
function within(
  state: PageState,
  { model }: Reading,
): { state: PageState; notes: readonly string[] } {
  const { layer, head } = state;
  const notes: string[] = [];
  if (layer !== undefined && layer >= model.layers) {
    notes.push(
      `There is no layer ${layer} here: ${model.name} has layers 0 to ${model.layers - 1}.`,
    );
  }
  if (head !== undefined && head >= model.heads) {
    notes.push(`There is no head ${head} here: ${model.name} has heads 0 to ${model.heads - 1}.`);
  }
  if (notes.length === 0) return { state, notes };
  return { state: { ...state, layer: undefined, head: undefined }, notes };
}
