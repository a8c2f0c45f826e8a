// Written by `deno task api`.

import type { AnswerMaker } from "./answer_maker.ts";
import { attention } from "./info_flow.ts";
import { attribution } from "./attribution.ts";
import { featureFlow } from "./feature_flow.ts";
import { features } from "./features.ts";
import { headEffects } from "./head_effects.ts";
import { headScores } from "./head_scores.ts";
import { infoFlow } from "./comparison.ts";
import { logitLens } from "./logit_lens.ts";
import { nextTokens } from "./next_tokens.ts";
import { patching } from "./patching.ts";
import { routes } from "./routes.ts";

/**
 * What answers each question about a prompt, by its field in `schema.graphql`. GraphQL and the links read this list.
 */
export const ANSWERS: Readonly<Record<string, AnswerMaker>> = {
  attention,
  attribution,
  featureFlow,
  features,
  headEffects,
  headScores,
  infoFlow,
  logitLens,
  nextTokens,
  patching,
  routes,
};
