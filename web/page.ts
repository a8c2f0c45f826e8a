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
import {
  askServer,
  askTokens,
  type ModelCard,
  type Reading,
  type ServerCard,
} from "./server/reading.ts";
import type { Picture } from "./views/picture.ts";
import { explain, say } from "./views/status.ts";

/** Parts of the page that the state is shown in. */
export interface PageParts {
  readonly picture: Picture;
  readonly status: HTMLElement;
  readonly count: HTMLElement;
  /** Shows which models there are, and which one answers. */
  readonly showServer: (server: ServerCard, state: PageState) => void;
}

const LONGEST_PAUSE = 8;
const LOADING_SHOWS_AFTER = 400;

/**
 * Gets what a state needs and shows it. The newest state wins: what older ones asked for is broken off or dropped, and
 * the picture that is there stays until the new one is.
 */
export class Page {
  readonly #parts: PageParts;
  readonly #tokens = new Answers(askTokens, 16);
  readonly #routes = new Answers(askRoutes, 16);
  readonly #scores = new Answers(askScores, 4);
  readonly #forecasts = new Answers(askForecast, 16);
  readonly #matrices = new Answers(fetchMatrices, 8);
  #server = new Answers(askServer, 1);
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
      this.#tokens.want([]);
      this.#matrices.want([]);
      this.#parts.count.textContent = "";
      throw new Failure("empty", "There is no prompt");
    }
    const server = await this.#server.get("");
    if (!isNewest()) return [];
    this.#parts.showServer(server, state);
    const { state: possible, notes, model } = within(state, server);
    const asked = JSON.stringify({ prompt: state.prompt, model: possible.model });
    this.#tokens.want([asked]);
    const reading = { model, tokens: await this.#tokens.get(asked) };
    if (!isNewest()) return [];
    this.#showCount(reading);
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
      ? this.#scores.get(asked)
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
  async #forecast({ prompt, model, view, off }: PageState, isNewest: () => boolean): Promise<void> {
    const question = JSON.stringify({ prompt, model, off: view === "whatif" ? off : "" });
    this.#forecasts.want([question]);
    const forecast = await this.#forecasts.get(question).catch(() => undefined);
    if (forecast && isNewest()) this.#parts.picture.showForecast(forecast);
  }

  #showCount({ model, tokens }: Reading): void {
    this.#parts.count.textContent = `${count(tokens.length)} of ${
      count(model.context)
    } tokens, BOS among them`;
    this.#parts.count.classList.remove("over");
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
    // It may come back with other models.
    if (error.kind === "gone") this.#server = new Answers(askServer, 1);
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

/** What of a state there is: a link may ask for a model, or a layer, that this server has not. */
function within(
  state: PageState,
  { models }: ServerCard,
): { state: PageState; notes: readonly string[]; model: ModelCard } {
  const asked = models.find(({ name }) => name === state.model);
  const model = asked ?? models[0]!;
  const notes: string[] = [];
  if (state.model !== undefined && !asked) {
    notes.push(`There is no model ${state.model} here: ${model.name} answers.`);
  }
  const { layer, head } = state;
  if (layer !== undefined && layer >= model.layers) {
    notes.push(
      `There is no layer ${layer} here: ${model.name} has layers 0 to ${model.layers - 1}.`,
    );
  }
  if (head !== undefined && head >= model.heads) {
    notes.push(`There is no head ${head} here: ${model.name} has heads 0 to ${model.heads - 1}.`);
  }
  return {
    model,
    notes,
    state: {
      ...state,
      // The first is not named, so that links say no more than they must.
      model: model === models[0] ? undefined : model.name,
      layer: layer !== undefined && layer < model.layers ? layer : undefined,
      head: head !== undefined && head < model.heads ? head : undefined,
    },
  };
}
