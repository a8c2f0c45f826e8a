import type { FlowOptions } from "../../requests/flow_options.ts";
import { InfoFlow, type LoadedModel } from "./info_flow.ts";
import { canonicalHeads } from "../../requests/methods.ts";
import { tokenize, tokenText } from "../../tokens/tokenize.ts";

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

/** A flow with heads switched off, beside the same with all of them. */
export class ComparedFlow extends InfoFlow {
  readonly comparison: Comparison;

  constructor(model: LoadedModel, prompt: string, options: FlowOptions) {
    super(model, prompt, { ...options, compare: false });
    this.comparison = new Comparison(model, prompt, options);
  }
}

/** What switching heads off changes. */
export class Comparison {
  /** The flow of the model as it is. */
  readonly baseline: InfoFlow;
  /** The flow with heads switched off minus that. */
  readonly difference: InfoFlow;
  readonly #model: LoadedModel;
  readonly #prompt: string;
  readonly #options: FlowOptions;

  constructor(model: LoadedModel, prompt: string, options: FlowOptions) {
    this.baseline = new InfoFlow(model, prompt, { ...options, ablate: undefined, compare: false });
    this.difference = new InfoFlow(model, prompt, { ...options, compare: true });
    this.#model = model;
    this.#prompt = prompt;
    this.#options = options;
  }

  /** The tokens likeliest to come next in either, those that change most first. */
  async nextTokens(): Promise<TokenChange[]> {
    const { engine, tokenizer } = this.#model;
    const { architecture } = engine.info;
    const ids = tokenize(this.#prompt, architecture.context, tokenizer).map(({ id }) => id);
    const ablate = canonicalHeads(this.#options.ablate ?? [], architecture);
    const k = Math.min(TOKENS, architecture.vocabulary);
    const { changes } = await engine.ask("tokenChanges", { ids, k, ablate });
    return changes.map(({ id, ...logs }) => {
      const [before, after] = [Math.exp(logs.before), Math.exp(logs.after)];
      return { id, text: tokenText(id, tokenizer), before, after, change: after - before };
    }).sort((a, b) => Math.abs(b.change) - Math.abs(a.change) || a.id - b.id);
  }
}
