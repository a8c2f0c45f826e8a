import { InfoflowError } from "../../errors.ts";
import type { Questions } from "../../requests/questions.ts";
import type { SaeConfig } from "../../requests/sae/sae_config.ts";
import type { SiteOfLayer } from "../activations/kept_sites.ts";
import type { Run } from "../passes/run.ts";
import { type EncodedPrompt, encodePrompt } from "../sae/encode_prompt.ts";
import { FeatureFlows } from "../sae/feature_flows.ts";
import { Reconstructions } from "../sae/reconstructions.ts";
import { siteOfSae, sitesBelowSae, targetOfSae } from "../sae/site_of_sae.ts";
import { fitOf } from "../sae/fit_of.ts";
import type { DeviceContext } from "../flow/device_context.ts";

type Argument<Name extends keyof Questions> = Questions[Name]["argument"];
type Result<Name extends keyof Questions> = Omit<Questions[Name]["result"], "cacheHit">;

/** Answers questions about autoencoders' features. */
export class FeatureAnalyses {
  readonly #context: DeviceContext;
  readonly #flows: FeatureFlows;
  readonly #reconstructions: Reconstructions;

  constructor(context: DeviceContext) {
    this.#context = context;
    this.#flows = new FeatureFlows(context);
    this.#reconstructions = new Reconstructions(context.device, context.architecture.channels);
  }

  /**
   * What a question needs of a run.
   *
   * @throws {InfoflowError} BAD_USER_INPUT if there is no such autoencoder or feature, or its sources can't be had.
   */
  keepFor(
    name: "features" | "featureFlow" | "saeFit",
    { sae }: { readonly sae: string },
  ): SiteOfLayer[] {
    const config = this.#context.saes.configOf(sae);
    const sites = [siteOfSae(config)];
    if (name === "featureFlow") return [...sites, ...sitesBelowSae(config)];
    return name === "saeFit" ? [...sites, targetOfSae(config)] : sites;
  }

  /** Which features are on. */
  async features(run: Run, { sae }: Argument<"features">): Promise<Result<"features">> {
    const { device, saes } = this.#context;
    const loaded = await saes.get(sae);
    const prompt = run.prompts[0]!;
    const encoded = await encodePrompt(device, run, { prompt, loaded });
    const { positions, features, activations } = encoded;
    const { decoderNorms } = loaded.sae;
    const norms = Float32Array.from(features, (feature) => decoderNorms[feature]!);
    return { positions, features, activations, norms };
  }

  /** Where a feature's pre-activations came from. */
  async flow(run: Run, asked: Argument<"featureFlow">): Promise<Result<"featureFlow">> {
    const { device, saes } = this.#context;
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

  /** How well an autoencoder does. */
  async fit(run: Run, asked: Argument<"saeFit">): Promise<Result<"saeFit">> {
    const { device, saes } = this.#context;
    const loaded = await saes.get(asked.sae);
    const prompt = run.prompts[0]!;
    const encoded = await encodePrompt(device, run, { prompt, loaded });
    const { sae } = loaded;
    const { recon, error } = await this.#reconstructions.of(run, { prompt, sae, encoded });
    const first = asked.beginsWithBos ? 1 : 0;
    return fitOf({ recon, error, positions: encoded.positions, width: sae.config.outputs, first });
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

/** @throws {InfoflowError} BAD_USER_INPUT if a feature's sources can't be had. */
function checkFlow(name: string, { site, hook, features }: SaeConfig, feature: number): void {
  if (site === "MLP_OUT" || site === "LN2_NORMALIZED") {
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
