import { aboutPrompt, type AnswerMaker } from "./answer_maker.ts";
import type { FlowOptions } from "../../requests/flow_options.ts";
import { type ChangeArguments, type Changes, changesOf } from "./changes.ts";
import { InfoFlow } from "./info_flow.ts";
import { type Reading, textOf } from "./reading.ts";

/** The number of most likely tokens of both runs that are compared. */
const TOKENS = 10;

/** How the probability of a next token changes. */
export interface TokenChange {
  readonly id: number;
  readonly text: string;
  /** With nothing changed. */
  readonly before: number;
  readonly after: number;
  readonly change: number;
}

/** Options of a flow, with the changes to its run. */
export type ChangedFlowOptions = Omit<FlowOptions, "interventions"> & ChangeArguments;

/** A flow of a changed run, and the same flow of the unchanged model. */
export class ComparedFlow extends InfoFlow {
  readonly comparison: Comparison;

  constructor(reading: Reading, options: ChangedFlowOptions) {
    super(reading, options);
    this.comparison = new Comparison(reading, options);
  }
}

/** The effect of a run's changes on its flow and its predictions. */
export class Comparison {
  /** The flow of the unchanged model. */
  readonly baseline: InfoFlow;
  /** The flow of the changed run minus the baseline. */
  readonly difference: InfoFlow;
  readonly #reading: Reading;
  readonly #changes: Changes;

  constructor(reading: Reading, options: ChangedFlowOptions) {
    const plain = { ...options, ablate: undefined, interventions: undefined };
    this.baseline = new InfoFlow(reading, plain);
    this.difference = new InfoFlow(reading, { ...options, difference: true });
    this.#reading = reading;
    this.#changes = changesOf(reading, options);
  }

  /** The most likely next tokens of either run, those whose probability changes most first. */
  async nextTokens(): Promise<TokenChange[]> {
    const { model: { engine }, ids } = this.#reading;
    const { architecture } = engine.info;
    const { ablate, interventions } = this.#changes;
    const k = Math.min(TOKENS, architecture.vocabulary);
    const { changes } = await engine.ask("tokenChanges", { ids, k, ablate, interventions });
    return changes.map(({ id, ...logs }) => {
      const [before, after] = [Math.exp(logs.before), Math.exp(logs.after)];
      return { id, text: textOf(this.#reading, id), before, after, change: after - before };
    }).sort((a, b) => Math.abs(b.change) - Math.abs(a.change) || a.id - b.id);
  }
}

/** The arguments of `infoFlow`. */
interface FlowArguments extends Omit<FlowOptions, "interventions">, ChangeArguments {
  /** Whether `comparison` is computed. It changes no number of the matrix. */
  readonly compare?: boolean;
}

/** The answer of the field `infoFlow`. */
export const infoFlow: AnswerMaker = aboutPrompt<FlowArguments>((
  reading,
  { compare, ...options },
) => compare ? new ComparedFlow(reading, options) : new InfoFlow(reading, options));
