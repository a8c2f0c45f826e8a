import { InfoflowError } from "../../errors.ts";
import type { Head } from "../../requests/flow_options.ts";
import type { Intervention } from "../../requests/interventions/intervention.ts";
import type { Answered } from "../../requests/questions.ts";
import type { FeatureFlowFound } from "../../requests/sae/feature_questions.ts";
import type { SaeConfig } from "../../requests/sae/sae_config.ts";
import type { SiteOfLayer } from "../activations/kept_sites.ts";
import type { Run } from "../passes/run.ts";
import { type EncodedPrompt, encodePrompt } from "../sae/encode_prompt.ts";
import { FeatureFlows } from "../sae/feature_flows.ts";
import { hasFlow, sitesOfFlow } from "../sae/site_of_sae.ts";
import { type AnalysisContext, RunAnalysis } from "./analysis.ts";

/** The sources of a feature's pre-activations, at one target or at all. */
export interface FeatureFlowQuestion {
  readonly argument: {
    readonly ids: readonly number[];
    readonly sae: string;
    readonly feature: number;
    readonly target: number | undefined;
    readonly ablate?: readonly Head[] | undefined;
    readonly interventions?: readonly Intervention[] | undefined;
  };
  readonly result: Answered & FeatureFlowFound;
}

/** Splits a feature's pre-activations by source tokens and layers or heads. */
export class FeatureFlowAnalysis extends RunAnalysis<FeatureFlowQuestion> {
  override readonly endsAtSites = true;
  readonly #flows: FeatureFlows;

  constructor(context: AnalysisContext) {
    super(context);
    this.#flows = new FeatureFlows(context);
  }

  /** @throws {InfoflowError} BAD_USER_INPUT if there is no such autoencoder, or no flow is defined for its features. */
  override keepFor({ sae }: FeatureFlowQuestion["argument"]): readonly SiteOfLayer[] {
    return sitesOfFlow(this.context.saes.configOf(sae));
  }

  /** @throws {InfoflowError} BAD_USER_INPUT if there is no such feature, or no flow is defined for it. */
  protected override async read(
    run: Run,
    asked: FeatureFlowQuestion["argument"],
  ): Promise<FeatureFlowFound> {
    const { device, saes } = this.context;
    const { feature, target } = asked;
    const config = saes.configOf(asked.sae);
    checkFlow(asked.sae, config, feature);
    const loaded = await saes.get(asked.sae);
    const prompt = run.prompts[0]!;
    const encoded = await encodePrompt(device, run, { prompt, loaded });
    const { sae } = loaded;
    const { kept } = encoded;
    const found = await this.#flows.of(run, { prompt, sae, kept, feature, target });
    const { matrix, parts, count } = found;
    const tokens = prompt.ids.length;
    const rows = target === undefined ? tokens : 1;
    const preActivations = new Float64Array(rows);
    for (const { values } of parts) values.forEach((v, row) => preActivations[row]! += v);
    for (let at = 0; at < count * rows; at++) {
      for (let j = 0; j < tokens; j++) preActivations[at % rows]! += matrix[at * tokens + j]!;
    }
    return {
      ...found,
      byHead: config.site === "Z",
      preActivations: Float32Array.from(preActivations),
      activations: activationsOf(encoded, { feature, first: target ?? 0, rows }),
    };
  }
}

/** (R): a feature's activations at some targets. */
function activationsOf(
  { positions, features, activations }: EncodedPrompt,
  { feature, first, rows }: {
    readonly feature: number;
    readonly first: number;
    readonly rows: number;
  },
): Float32Array<ArrayBuffer> {
  const values = new Float32Array(rows);
  positions.forEach((position, n) => {
    const row = position - first;
    if (features[n] === feature && row >= 0 && row < rows) values[row] = activations[n]!;
  });
  return values;
}

/** @throws {InfoflowError} BAD_USER_INPUT if no flow to the feature is defined. */
function checkFlow(name: string, config: SaeConfig, feature: number): void {
  const { site, hook, features } = config;
  if (!hasFlow(config)) {
    throw new InfoflowError(
      "BAD_USER_INPUT",
      `Cannot say which tokens fed a feature of ${name} as ${
        site === "MLP_OUT" ? "an MLP" : "a layer norm"
      } comes between, which is no sum: current hook is ${hook}; ask an autoencoder of resid_pre, resid_mid, ` +
        "resid_post, attn_out or hook_z",
      { sae: name, hook },
    );
  }
  if (feature < features) return;
  throw new InfoflowError(
    "BAD_USER_INPUT",
    `Cannot find a feature of ${name} as it has ${features} of them: current value is ${feature}`,
    { sae: name, features },
  );
}
