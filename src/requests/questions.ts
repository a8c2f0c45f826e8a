import type {
  FeatureFlowFound,
  FeaturesFound,
  FeatureTablesFound,
  SaeFitFound,
} from "./sae/feature_questions.ts";
import type { Head } from "./flow_options.ts";
import type { HeadSums } from "./head_statistics/head_sums.ts";
import type { GridOptions } from "./patch.ts";
import type { PatchDirection, PatchMetric } from "./patching.ts";
import type { Intervention } from "./interventions/intervention.ts";

/** How a token's log-probability changes. */
export interface LogProbabilityChange {
  readonly id: number;
  /** With no head ablated. */
  readonly before: number;
  readonly after: number;
}

/** A part of a logit. */
export interface LogitPart {
  readonly kind: "EMBEDDING" | "HEAD" | "ATTENTION_BIAS" | "INTERVENTION" | "MLP" | "FINAL_BIAS";
  /** Null for what is of no layer. */
  readonly layer: number | null;
  /** Null for what is no head. */
  readonly head: number | null;
  readonly value: number;
  /** The same minus its mean over the vocabulary. */
  readonly centred: number;
}

/** A place that routes come through. */
export interface RouteNode {
  /** STREAM: after how many layers. Otherwise: in which layer. */
  readonly layer: number;
  /** The residual stream between layers, between a layer's attention and MLP, or the MLP. */
  readonly place: "STREAM" | "MIDDLE" | "MLP";
  readonly position: number;
  /** The share of the target that comes through here, along edges above the threshold. */
  readonly share: number;
}

/** What carries from a place to the next. */
export interface RouteEdge {
  readonly layer: number;
  readonly kind: "HEAD" | "RESIDUAL" | "MLP" | "MLP_RESIDUAL";
  /** Null for what is no head. */
  readonly head: number | null;
  readonly source: number;
  readonly target: number;
  /** Its share of the sum that it is a part of. */
  readonly weight: number;
}

/** The likeliest tokens of a row. */
export interface TopRow {
  readonly ids: readonly number[];
  readonly logits: readonly number[];
  readonly logProbabilities: readonly number[];
  /** The logarithm of the sum of exponents of all logits: what a logit has above its token's log-probability. */
  readonly total: number;
}

/** Routes to one target. */
export interface RouteGraph {
  readonly nodes: readonly RouteNode[];
  readonly edges: readonly RouteEdge[];
}

/** The members that all answers have. */
export interface Answered {
  /** Whether no forward pass was run for it. */
  readonly cacheHit: boolean;
}

/** The metric of runs, and how long they may take. */
export interface MetricArgument {
  readonly metric: PatchMetric;
  readonly answer: number;
  /** For LOGIT_DIFF only. */
  readonly against: number;
  /** In seconds: what will take longer is refused. */
  readonly limit: number;
}

/** Questions about a prompt that are answered by other things than matrices of flow; ids are its tokens, BOS first. */
export interface Questions {
  /** The k likeliest tokens to come next after a position, the last one where none is given, and further tokens. */
  nextTokens: {
    argument: {
      readonly ids: readonly number[];
      readonly k: number;
      readonly position?: number | undefined;
      readonly tokens?: readonly number[] | undefined;
      readonly ablate?: readonly Head[] | undefined;
      readonly interventions?: readonly Intervention[] | undefined;
    };
    result: Answered & {
      readonly top: TopRow;
      /** Of each of `tokens`. */
      readonly logits: readonly number[];
    };
  };
  /** The k likeliest tokens with and without heads ablated, and how the probability of each changes. */
  tokenChanges: {
    argument: {
      readonly ids: readonly number[];
      readonly k: number;
      readonly ablate?: readonly Head[] | undefined;
      readonly interventions?: readonly Intervention[] | undefined;
    };
    result: Answered & { readonly changes: readonly LogProbabilityChange[] };
  };
  /**
   * The k likeliest tokens of each position, or of some, of the embedding and of each layer's output: (L + 1) rows for
   * each.
   */
  logitLens: {
    argument: {
      readonly ids: readonly number[];
      readonly k: number;
      /** Ascending; all without them. */
      readonly positions?: readonly number[] | undefined;
      readonly interventions?: readonly Intervention[] | undefined;
    };
    result: Answered & { readonly tops: readonly TopRow[] };
  };
  /**
   * The parts of a token's logit after a position, the last one where none is given; of the likeliest where no token is
   * named. With `against`, of its logit minus that of another token.
   */
  attribution: {
    argument: {
      readonly ids: readonly number[];
      readonly token: number | undefined;
      readonly against?: number | undefined;
      readonly position?: number | undefined;
      readonly interventions?: readonly Intervention[] | undefined;
    };
    result: Answered & { readonly token: number; readonly parts: readonly LogitPart[] };
  };
  /** (L, H, 3): the sums over each list of `scoreCells` of each head's pattern. */
  headSums: {
    argument: {
      readonly ids: readonly number[];
      /** Whether the first token is BOS. */
      readonly hasBos: boolean;
      readonly interventions?: readonly Intervention[] | undefined;
    };
    result: Answered & { readonly sums: Float32Array };
  };
  /** Sums over all targets of some prompts, whose ids stand one after the other. */
  headStatistics: {
    argument: { readonly ids: readonly number[]; readonly lengths: readonly number[] };
    result: Answered & HeadSums;
  };
  /** The metric of runs of one prompt with one value of the other prompt each, a run for each cell of a grid. */
  patching: {
    argument: MetricArgument & GridOptions & {
      /** The clean prompt, and the corrupted one, as many tokens. */
      readonly ids: readonly number[];
      readonly corrupted: readonly number[];
      readonly direction: PatchDirection;
    };
    result: Answered & {
      /** Of each cell, row-major. */
      readonly values: Float32Array<ArrayBuffer>;
      /** Of the prompts as they are. */
      readonly clean: number;
      readonly corrupted: number;
      /** The rows of layers that were computed for the runs. */
      readonly rowLayers: number;
    };
  };
  /** What ablating each head alone does to a metric. */
  headEffects: {
    argument: MetricArgument & {
      readonly ids: readonly number[];
      /** Its output becomes zero, or its mean over the positions from `meanFrom` on. */
      readonly action: "ZERO" | "MEAN";
      readonly meanFrom: 0 | 1;
    };
    result: Answered & {
      /** (L, H): the metric with the head ablated, minus that without. */
      readonly effects: Float32Array<ArrayBuffer>;
      /** The metric with no head ablated. */
      readonly baseline: number;
    };
  };
  /** What feeds a target, along edges that carry a share of a threshold at least. */
  routes: {
    argument: {
      readonly ids: readonly number[];
      readonly target: number;
      readonly threshold: number;
      readonly interventions?: readonly Intervention[] | undefined;
    };
    result: Answered & RouteGraph;
  };
  /** Which features of an autoencoder are on. */
  features: {
    argument: {
      readonly ids: readonly number[];
      readonly sae: string;
      readonly ablate?: readonly Head[] | undefined;
      readonly interventions?: readonly Intervention[] | undefined;
    };
    result: Answered & FeaturesFound;
  };
  /**
   * What the next token's loss becomes without what features, each at a position, write into the stream themselves, minus
   * what it is.
   */
  lossEffects: {
    argument: {
      readonly ids: readonly number[];
      readonly sae: string;
      readonly positions: readonly number[];
      readonly features: readonly number[];
      readonly ablate?: readonly Head[] | undefined;
      readonly interventions?: readonly Intervention[] | undefined;
    };
    /** In nats; NaN at the last position. */
    result: Answered & { readonly effects: Float32Array<ArrayBuffer> };
  };
  /** Where a feature's pre-activations came from, at one target or at all. */
  featureFlow: {
    argument: {
      readonly ids: readonly number[];
      readonly sae: string;
      readonly feature: number;
      readonly target: number | undefined;
      readonly ablate?: readonly Head[] | undefined;
      readonly interventions?: readonly Intervention[] | undefined;
    };
    result: Answered & FeatureFlowFound;
  };
  /** Features of some prompts, whose ids stand one after the other, as positions do. */
  featureBatch: {
    argument: {
      readonly ids: readonly number[];
      readonly lengths: readonly number[];
      readonly sae: string;
    };
    result: Answered & Omit<FeaturesFound, "norms">;
  };
  /** What each feature says by itself; the one id is there for the device to have something to run. */
  featureTables: {
    argument: { readonly ids: readonly number[]; readonly sae: string; readonly k: number };
    result: Answered & FeatureTablesFound;
  };
  /** How well an autoencoder does on a prompt; the first token is left out if it is BOS. */
  saeFit: {
    argument: {
      readonly ids: readonly number[];
      readonly sae: string;
      readonly beginsWithBos: boolean;
    };
    result: Answered & SaeFitFound;
  };
}

/** A question by its name. */
export type Question = {
  [Name in keyof Questions]: {
    readonly name: Name;
    readonly argument: Questions[Name]["argument"];
  };
}[keyof Questions];

/** The prompts that a question is about: one, but for those that are about many. */
export function promptsOf({ name, argument }: Question): readonly (readonly number[])[] {
  if (name !== "headStatistics" && name !== "featureBatch") return [argument.ids];
  let end = 0;
  return argument.lengths.map((length) => argument.ids.slice(end, end += length));
}
