import type { AttentionOptions, FlowOptions } from "../../requests/flow_options.ts";
import type { Answer } from "./answer.ts";
import { Attribution, type AttributionOptions } from "./attribution.ts";
import type { ChangeArguments } from "./changes.ts";
import { ComparedFlow } from "./comparison.ts";
import { FeatureFlow, type FeatureFlowOptions } from "./feature_flow.ts";
import { Features, type FeaturesOptions } from "./features.ts";
import { HeadEffects, type HeadEffectsOptions } from "./head_effects.ts";
import { HeadScores } from "./head_scores.ts";
import { InfoFlow } from "./info_flow.ts";
import type { LoadedModel } from "./loaded_model.ts";
import { LogitLens, type LogitLensOptions } from "./logit_lens.ts";
import { NextTokens, type NextTokensOptions } from "./next_tokens.ts";
import { Patching, type PatchingOptions } from "./patching.ts";
import { read, type Reading, type ReadingArguments } from "./reading.ts";
import { RouteGraphAnswer, type RoutesOptions } from "./routes.ts";

/** Makes the answer to a question, from the arguments of its field. Nothing is computed yet. */
export type AnswerMaker = (
  models: readonly LoadedModel[],
  args: Readonly<Record<string, unknown>>,
) => Answer;

/**
 * Every question about a prompt, by its field in `schema.graphql`. GraphQL and the links read this list: what stands
 * here is asked as `{ NAME(…) { … } }` and as `GET /NAME.arrow?…`, with the same arguments and defaults.
 */
export const ANSWERS: Readonly<Record<string, AnswerMaker>> = {
  infoFlow: of<FlowArguments>((reading, { compare, ...options }) =>
    compare ? new ComparedFlow(reading, options) : new InfoFlow(reading, options)
  ),
  attention: of<AttentionArguments>((reading, options) =>
    new InfoFlow(reading, { ...options, byHead: true })
  ),
  nextTokens: of<NextTokensOptions>((reading, options) => new NextTokens(reading, options)),
  logitLens: of<LogitLensOptions>((reading, options) => new LogitLens(reading, options)),
  attribution: of<AttributionOptions>((reading, options) => new Attribution(reading, options)),
  headScores: of<ChangeArguments>((reading, options) => new HeadScores(reading, options)),
  features: of<FeaturesOptions>((reading, options) => new Features(reading, options)),
  featureFlow: of<FeatureFlowOptions>((reading, options) => new FeatureFlow(reading, options)),
  patching: (models, args) => {
    const { clean, cleanIds, corrupted, corruptedIds, ...rest } = args as PatchingArguments;
    const { model, specialTokens, bos, ...options } = rest;
    const of = (prompt: PromptArgument, ids: IdsArgument): Reading =>
      read(models, { prompt, ids, specialTokens, bos, model });
    const [one, other] = [of(clean, cleanIds), of(corrupted, corruptedIds)];
    return new Patching(one, other, options as unknown as PatchingOptions);
  },
  headEffects: of<HeadEffectsOptions>((reading, options) => new HeadEffects(reading, options)),
  routes: of<RoutesOptions>((reading, options) => new RouteGraphAnswer(reading, options)),
};

type PromptArgument = ReadingArguments["prompt"];
type IdsArgument = ReadingArguments["ids"];

/** The arguments of `patching` that say what is read. */
interface PatchingArguments extends Omit<ReadingArguments, "prompt" | "ids"> {
  readonly clean?: PromptArgument;
  readonly cleanIds?: IdsArgument;
  readonly corrupted?: PromptArgument;
  readonly corruptedIds?: IdsArgument;
}

/** The arguments of `infoFlow`. */
interface FlowArguments extends Omit<FlowOptions, "interventions">, ChangeArguments {
  /** Whether `comparison` is wanted. It changes no number of the matrix. */
  readonly compare?: boolean;
}

/** The arguments of `attention`. */
type AttentionArguments = Omit<AttentionOptions, "byHead" | "interventions"> & ChangeArguments;

/** A question about one prompt: what is read is split off its arguments. */
function of<Options>(make: (reading: Reading, options: Options) => Answer): AnswerMaker {
  return (models, args) => {
    const { prompt, ids, specialTokens, model, ...options } = args as ReadingArguments;
    const reading = read(models, { prompt, ids, specialTokens, model, bos: options.bos });
    return make(reading, options as Options);
  };
}
