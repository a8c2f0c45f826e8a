// Written by `deno task api`.

import { AttributionAnalysis, type AttributionQuestion } from "./attribution.ts";
import { FeatureBatchAnalysis, type FeatureBatchQuestion } from "./feature_batch.ts";
import { FeatureFlowAnalysis, type FeatureFlowQuestion } from "./feature_flow.ts";
import { FeatureTablesAnalysis, type FeatureTablesQuestion } from "./feature_tables.ts";
import { FeaturesAnalysis, type FeaturesQuestion } from "./features.ts";
import { HeadEffectsAnalysis, type HeadEffectsQuestion } from "./patching/head_effects.ts";
import { HeadScoresAnalysis, type HeadScoresQuestion } from "./head_scores.ts";
import { HeadStatisticsAnalysis, type HeadStatisticsQuestion } from "./head_statistics.ts";
import { LogitLensAnalysis, type LogitLensQuestion } from "./logit_lens.ts";
import { LossEffectsAnalysis, type LossEffectsQuestion } from "./loss_effects.ts";
import { NextTokensAnalysis, type NextTokensQuestion } from "./next_tokens.ts";
import { PatchingAnalysis, type PatchingQuestion } from "./patching/patching.ts";
import { RoutesAnalysis, type RoutesQuestion } from "./routes.ts";
import { SaeFitAnalysis, type SaeFitQuestion } from "./sae_fit.ts";
import { TokenChangesAnalysis, type TokenChangesQuestion } from "./token_changes.ts";

/** The questions that an engine answers, each with its argument and its result. */
export interface Questions {
  attribution: AttributionQuestion;
  featureBatch: FeatureBatchQuestion;
  featureFlow: FeatureFlowQuestion;
  featureTables: FeatureTablesQuestion;
  features: FeaturesQuestion;
  headEffects: HeadEffectsQuestion;
  headScores: HeadScoresQuestion;
  headStatistics: HeadStatisticsQuestion;
  logitLens: LogitLensQuestion;
  lossEffects: LossEffectsQuestion;
  nextTokens: NextTokensQuestion;
  patching: PatchingQuestion;
  routes: RoutesQuestion;
  saeFit: SaeFitQuestion;
  tokenChanges: TokenChangesQuestion;
}

/** What answers each of them. */
export const ANALYSES = {
  attribution: AttributionAnalysis,
  featureBatch: FeatureBatchAnalysis,
  featureFlow: FeatureFlowAnalysis,
  featureTables: FeatureTablesAnalysis,
  features: FeaturesAnalysis,
  headEffects: HeadEffectsAnalysis,
  headScores: HeadScoresAnalysis,
  headStatistics: HeadStatisticsAnalysis,
  logitLens: LogitLensAnalysis,
  lossEffects: LossEffectsAnalysis,
  nextTokens: NextTokensAnalysis,
  patching: PatchingAnalysis,
  routes: RoutesAnalysis,
  saeFit: SaeFitAnalysis,
  tokenChanges: TokenChangesAnalysis,
} as const;
