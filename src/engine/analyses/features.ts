import type { Head } from "../../requests/flow_options.ts";
import type { Intervention } from "../../requests/interventions/intervention.ts";
import type { Answered } from "../../requests/questions.ts";
import type { FeaturesFound } from "../../requests/sae/feature_questions.ts";
import type { CacheUse } from "../activations/cache_use.ts";
import type { SiteOfLayer } from "../activations/kept_sites.ts";
import type { Run } from "../passes/run.ts";
import { encodePrompt } from "../sae/encode_prompt.ts";
import { hasFlow, siteOfSae, sitesOfFlow } from "../sae/site_of_sae.ts";
import { RunAnalysis } from "./analysis.ts";

/** The active features of an autoencoder. */
export interface FeaturesQuestion {
  readonly argument: {
    readonly ids: readonly number[];
    readonly sae: string;
    readonly ablate?: readonly Head[] | undefined;
    readonly interventions?: readonly Intervention[] | undefined;
  };
  readonly result: Answered & FeaturesFound;
}

/** Finds the active features of an autoencoder in a prompt. */
export class FeaturesAnalysis extends RunAnalysis<FeaturesQuestion> {
  override readonly sharesPass = true;
  override readonly endsAtSites = true;

  /**
   * Of a prompt that stays in the cache, also what the flow to its features is read from: it is often asked next, and
   * would take a pass of its own.
   *
   * @throws {InfoflowError} BAD_USER_INPUT if there is no such autoencoder.
   */
  override keepFor(
    { sae }: FeaturesQuestion["argument"],
    cache: CacheUse,
  ): readonly SiteOfLayer[] {
    const config = this.context.saes.configOf(sae);
    return cache === "keep" && hasFlow(config) ? sitesOfFlow(config) : [siteOfSae(config)];
  }

  protected override async read(
    run: Run,
    { sae }: FeaturesQuestion["argument"],
  ): Promise<FeaturesFound> {
    const { device, saes } = this.context;
    const loaded = await saes.get(sae);
    const prompt = run.prompts[0]!;
    const encoded = await encodePrompt(device, run, { prompt, loaded });
    const { positions, features, activations } = encoded;
    const { decoderNorms } = loaded.sae;
    const norms = Float32Array.from(features, (feature) => decoderNorms[feature]!);
    return { positions, features, activations, norms };
  }
}
