import type { FlowOptions } from "../../requests/flow_options.ts";
import { InfoFlow } from "./info_flow.ts";
import { canonicalHeads } from "../../requests/methods.ts";
import { type Reading, textOf } from "./reading.ts";

/** How many of the likeliest tokens of both models are compared. */
const TOKENS = 10;

/** What becomes of the probability of a token to come next. */
export interface TokenChange {
  readonly id: number;
  readonly text: string;
  /** With no head switched off. */
  readonly before: number;
  readonly after: number;
  readonly change: number;
}

/** A flow with heads ablated, beside the same with all of them. */
export class ComparedFlow extends InfoFlow {
  readonly comparison: Comparison;

  constructor(reading: Reading, options: FlowOptions) {
    super(reading, options);
    this.comparison = new Comparison(reading, options);
  }
}

/** What ablating heads changes. */
export class Comparison {
  /** The flow of the model as it is. */
  readonly baseline: InfoFlow;
  /** The flow with heads ablated minus that. */
  readonly difference: InfoFlow;
  readonly #reading: Reading;
  readonly #options: FlowOptions;

  constructor(reading: Reading, options: FlowOptions) {
    this.baseline = new InfoFlow(reading, { ...options, ablate: undefined });
    this.difference = new InfoFlow(reading, { ...options, difference: true });
    this.#reading = reading;
    this.#options = options;
  }

  /** The tokens likeliest to come next in either, those that change most first. */
  async nextTokens(): Promise<TokenChange[]> {
    const { model: { engine }, ids } = this.#reading;
    const { architecture } = engine.info;
    const ablate = canonicalHeads(this.#options.ablate ?? [], architecture);
    const k = Math.min(TOKENS, architecture.vocabulary);
    const { changes } = await engine.ask("tokenChanges", { ids, k, ablate });
    return changes.map(({ id, ...logs }) => {
      const [before, after] = [Math.exp(logs.before), Math.exp(logs.after)];
      return { id, text: textOf(this.#reading, id), before, after, change: after - before };
    }).sort((a, b) => Math.abs(b.change) - Math.abs(a.change) || a.id - b.id);
  }
}
