import { html } from "../draw/elements.ts";
import { share } from "../draw/format.ts";
import { type Shade, topOf } from "../draw/shade.ts";
import type { Theme } from "../draw/theme.ts";
import { bosOf, type PageState } from "../page_state.ts";
import type { Matrices, Matrix } from "../server/matrix.ts";
import type { Forecast } from "../server/forecast.ts";
import type { Reading, TokenSpan } from "../server/reading.ts";
import { cellSentence, drawDetails } from "./details.ts";
import { type Cell, Heatmap } from "./heatmap.ts";
import { drawForecast } from "./forecast.ts";
import { chosenBy, multiplesOf } from "./multiples.ts";
import { Panels } from "./panels.ts";
import type { HeadScore } from "../server/scores.ts";
import type { Routes } from "../server/routes.ts";
import { csvFile } from "./download.ts";
import { drawRouteDetails, RoutesView } from "./routes.ts";
import { TextView } from "./text.ts";
import { titleOf } from "./title.ts";
import type { Tip } from "./tip.ts";

/** A state, and what is known to draw it. */
export interface Shown {
  readonly state: PageState;
  readonly reading: Reading;
  /** The tokens of the axes. */
  readonly spans: readonly TokenSpan[];
  readonly theme: Theme;
  /** Where the large matrix came from. */
  readonly url: string;
}

/** What is shown large. */
export interface Stage extends Shown {
  readonly matrix: Matrix;
}

/** What is shown small. */
export interface Panelled extends Shown {
  readonly all: readonly Matrices[];
  /** What heads do, where they are sorted by it. */
  readonly scores?: readonly HeadScore[] | undefined;
}

/** What people take away. */
export interface PictureFiles {
  /** Where the numbers came from. */
  readonly url: string;
  readonly drawing: () => SVGSVGElement;
  readonly csv: () => Blob;
}

/** Elements that the picture is made of. */
export interface PictureParts {
  readonly picture: HTMLElement;
  readonly title: HTMLElement;
  readonly heatmap: HTMLElement;
  readonly text: HTMLElement;
  readonly panels: HTMLElement;
  readonly panelsTitle: HTMLElement;
  readonly details: HTMLElement;
  readonly forecast: HTMLElement;
  readonly routes: HTMLElement;
  readonly live: HTMLElement;
  readonly tip: Tip;
}

const PANEL_TITLES = {
  flow: "Layer by layer",
  text: "Layer by layer",
  heads: "Every head: layers down, heads across",
  routes: "",
  whatif: "Heads: click to switch off and on",
};

/** The picture: a matrix shown large as heatmap and as text, its details, and all others as small multiples. */
export class Picture {
  readonly heatmap: Heatmap;
  readonly #text: TextView;
  readonly #panels: Panels;
  readonly #routes: RoutesView;
  readonly #parts: PictureParts;
  #shown: Shown | undefined;
  #stage: Stage | undefined;
  #all: readonly Matrices[] = [];
  #pointed: number | undefined;

  /**
   * @param parts Where it is drawn.
   * @param change Told of what is chosen in it.
   */
  constructor(parts: PictureParts, change: (chosen: Partial<PageState>) => void) {
    this.#parts = parts;
    const choose = (token: number): void => change({ token });
    this.heatmap = new Heatmap(parts.heatmap, {
      point: (cell, by) => this.#pointCell(cell, by),
      choose,
    });
    this.#text = new TextView(parts.text, {
      point: (position) => {
        this.#pointed = position;
        this.#drawDetails();
      },
      choose,
    });
    this.#panels = new Panels(parts.panels, (key) => {
      if (this.#stage) change(chosenBy(key, this.#stage.state));
    });
    this.#routes = new RoutesView(parts.routes, parts.tip, {
      head: (layer, head) => change({ view: "heads", layer, head, token: undefined }),
      target: (position) => {
        const first = this.#shown && bosOf(this.#shown.state) === "DROP" ? 1 : 0;
        if (position >= first) change({ token: position - first });
      },
    });
  }

  /** What is shown large now, to take away; nothing before anything is shown. */
  get files(): PictureFiles | undefined {
    const { state, url } = this.#shown ?? {};
    if (!state || !url) return undefined;
    if (state.view === "routes") {
      return { url, drawing: () => this.#routes.toSvg(), csv: () => this.#routes.toCsv() };
    }
    const { matrix } = this.#stage!;
    return { url, drawing: () => this.heatmap.toSvg(), csv: () => csvFile(matrix) };
  }

  /** Whether what is shown is of an older state. */
  waits(isWaiting: boolean): void {
    this.#parts.picture.setAttribute("aria-busy", String(isWaiting));
  }

  /** Shows a matrix large. */
  showStage(stage: Stage): void {
    this.#stage = stage;
    this.#announce(stage);
    this.#drawStage();
  }

  /** Shows routes in place of a matrix. */
  showRoutes({ routes, ...shown }: Shown & { readonly routes: Routes }): void {
    const { reading: { tokens, model }, theme } = shown;
    this.#announce(shown);
    const labels = tokens.map(({ text }) => text);
    const picture = { routes, tokens: labels, layers: model.layers, theme };
    this.#routes.show(picture);
    drawRouteDetails(this.#parts.details, picture);
  }

  #announce(shown: Shown): void {
    this.#shown = shown;
    this.#pointed = undefined;
    this.#parts.tip.hide();
    const { name, note } = titleOf(shown);
    this.#parts.title.replaceChildren(name, html("small", {}, note));
  }

  /** Shows the small multiples, and the large one on their scale if that is wanted. */
  showPanels({ all, ...shown }: Panelled): void {
    const { state, theme } = shown;
    this.#all = all;
    this.#parts.panelsTitle.textContent = state.view === "heads" && state.sort !== "place"
      ? "Every head: those that do most of it first"
      : PANEL_TITLES[state.view];
    const shadeOf = (matrix: Matrix): Shade => this.#shadeOf(matrix, state);
    this.#panels.show({ ...multiplesOf({ ...shown, all }, shadeOf), ramp: theme.ramp });
    if (state.scale === "shared" && this.#stage) this.#drawStage();
  }

  /** Shows what the model expects next. */
  showForecast(forecast: Forecast): void {
    drawForecast(this.#parts.forecast, forecast);
  }

  #shadeOf(matrix: Matrix, { scale, curve }: PageState): Shade {
    if (matrix.isChange) return { curve, top: topOf(matrix), diverges: true };
    const isShared = scale === "shared" &&
      this.#all.some(({ positions }) => positions === matrix.positions);
    return { curve, top: topOf(isShared ? this.#all.at(-1)! : matrix) };
  }

  #drawStage(): void {
    const { matrix, theme, state, reading, spans } = this.#stage!;
    const shade = this.#shadeOf(matrix, state);
    const title = `${this.#parts.title.textContent}. ${
      reading.tokens.length - 1
    } tokens: ${state.prompt}`;
    const { curve, direction } = state;
    this.heatmap.show({ matrix, shade, theme, title });
    this.#text.show({ prompt: state.prompt, spans, matrix, theme, curve, direction });
    const chosen = this.#chosen();
    this.heatmap.mark(chosen);
    this.#text.mark(chosen);
    this.#drawDetails();
  }

  /** The chosen token; by itself the last one, which the model goes on from. */
  #chosen(): number {
    const { matrix: { positions }, state: { token } } = this.#stage!;
    return token !== undefined && token < positions ? token : positions - 1;
  }

  #drawDetails(): void {
    if (!this.#stage) return;
    const { matrix, theme, state: { direction, curve } } = this.#stage;
    const position = this.#pointed ?? this.#chosen();
    if (position < matrix.positions) {
      drawDetails(this.#parts.details, { matrix, position, direction, theme, curve });
    }
  }

  #pointCell(cell: Cell | undefined, by: "pointer" | "keyboard"): void {
    if (!cell || !this.#stage) {
      this.#parts.tip.hide();
      this.#pointed = undefined;
      return this.#drawDetails();
    }
    const { matrix, state: { direction } } = this.#stage;
    const dropped = matrix.dropped[cell.target]!;
    const sentence = cellSentence(matrix, cell);
    const left = dropped > 0 ? [`BOS had ${share(dropped)} of this row`] : [];
    const { x, y } = this.#parts.heatmap.getBoundingClientRect();
    const centre = this.heatmap.centreOf(cell);
    this.#parts.tip.show([sentence, ...left], {
      x: x + scrollX + centre.x,
      y: y + scrollY + centre.y,
    });
    if (by === "keyboard") this.#parts.live.textContent = [sentence, ...left].join(". ");
    const pointed = direction === "sources" ? cell.target : cell.source;
    if (pointed === this.#pointed) return;
    this.#pointed = pointed;
    this.#drawDetails();
  }
}
