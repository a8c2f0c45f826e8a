import { html } from "../../draw/elements.ts";
import { count } from "../../draw/format.ts";
import { addressOf } from "../address.ts";
import type { Asker } from "../asker.ts";
import { readLinkState, writeLinkState } from "../link_state.ts";
import {
  type ListedFeature,
  type ListOptions,
  PART,
  partOf,
  type SaeName,
  tokensOfPart,
} from "../questions.ts";
import { Controls, LIST_STATE, type ListState } from "./controls.ts";
import { COLUMNS, drawRow } from "./row.ts";
import { VirtualRows } from "./virtual_rows.ts";

/** Pixels of a row, as in the stylesheet. */
const ROW = 36;
/** Tokens of examples are asked for once the list is scrolled no further, in ms. */
const RESTS = 150;

/** The list of an autoencoder's features. */
export class ListPage {
  readonly #asker: Asker;
  readonly #about: { readonly model: string | undefined; readonly sae: string };
  readonly #summary = html("p", { class: "summary", "aria-live": "polite" }, "\u00a0");
  readonly #rows: VirtualRows;
  #state: ListState = readLinkState(LIST_STATE);
  /** By their row. */
  readonly #features = new Map<number, ListedFeature>();
  /** By their number. */
  readonly #tokens = new Map<number, readonly string[]>();
  #run = 0;
  #resting: number | undefined;

  constructor(
    main: HTMLElement,
    { asker, model, sae }: {
      readonly asker: Asker;
      readonly model: string | undefined;
      readonly sae: SaeName;
    },
  ) {
    this.#asker = asker;
    this.#about = { model, sae: sae.name };
    const head = html(
      "thead",
      {},
      html(
        "tr",
        {},
        ...COLUMNS.map(([name, kind, bars]) =>
          html("th", { scope: "col", class: kind }, name, html("span", { class: "bars" }, bars))
        ),
      ),
    );
    this.#rows = new VirtualRows(head, `Features of ${sae.name}`, {
      height: ROW,
      draw: (first, end) => this.#draw(first, end),
    });
    const controls = new Controls(this.#state, (state) => {
      this.#state = state;
      writeLinkState(state, LIST_STATE);
      this.#start();
    });
    addEventListener("hashchange", () => {
      this.#state = readLinkState(LIST_STATE);
      controls.show(this.#state);
      this.#start();
    });
    main.append(controls.element, this.#summary, this.#rows.element);
    this.#start();
  }

  get #options(): ListOptions {
    const { search, in: where, order, least, most } = this.#state;
    const densities = { minDensity: Number(least), maxDensity: Number(most) };
    return { ...this.#about, search, in: where, order, ...densities };
  }

  /** Shows the list that the controls say, from its beginning. */
  async #start(): Promise<void> {
    const run = ++this.#run;
    const { total, dead, corpus, features } = await this.#asker.ask(partOf(this.#options, 0));
    if (run !== this.#run) return;
    this.#features.clear();
    this.#take(0, features);
    this.#summary.textContent = `${count(total)} ${total === 1 ? "feature" : "features"}${
      dead > 0 && total > dead ? `; ${count(dead)} of all are never on` : ""
    }. Counted over ${count(corpus.positions)} tokens of ${count(corpus.rows)} texts.`;
    this.#rows.restart(total);
  }

  #take(part: number, features: readonly ListedFeature[]): void {
    features.forEach((feature, at) => this.#features.set(part * PART + at, feature));
  }

  #draw(first: number, end: number): void {
    const rows = [];
    for (let row = first; row < end; row++) {
      const feature = this.#features.get(row);
      rows.push(drawRow({
        row,
        feature,
        tokens: feature && this.#tokens.get(feature.index),
        href: feature ? addressOf({ ...this.#about, index: feature.index }) : "",
        isReachable: row === this.#rows.at || row === first && this.#rows.at < first,
      }));
    }
    this.#rows.body.replaceChildren(...rows);
    this.#askFor(first, end);
  }

  /** Asks for what is not here yet of some rows. */
  #askFor(first: number, end: number): void {
    const run = this.#run;
    const parts = new Set<number>();
    for (let row = first; row < end; row++) parts.add(Math.floor(row / PART));
    for (const part of parts) {
      if (this.#features.has(part * PART)) continue;
      this.#asker.ask(partOf(this.#options, part)).then(({ features }) => {
        if (run !== this.#run) return;
        this.#take(part, features);
        this.#rows.redraw();
      }, () => {});
    }
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => {
      for (const part of parts) this.#askForTokens(part, run);
    }, RESTS);
  }

  #askForTokens(part: number, run: number): void {
    const feature = this.#features.get(part * PART);
    if (!feature || this.#tokens.has(feature.index)) return;
    this.#asker.ask(tokensOfPart(this.#options, part)).then((tokens) => {
      for (const [index, texts] of tokens) this.#tokens.set(index, texts);
      if (run === this.#run) this.#rows.redraw();
    }, () => {});
  }
}
