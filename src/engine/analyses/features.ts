import { InfoflowError } from "../../errors.ts";
import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { Intervention } from "../../requests/interventions/intervention.ts";
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
import { lossesOf } from "./losses.ts";
import type { TopLogits } from "./top_logits.ts";

type Argument<Name extends keyof Questions> = Questions[Name]["argument"];
type Result<Name extends keyof Questions> = Omit<Questions[Name]["result"], "cacheHit">;

/** Answers questions about autoencoders' features. */
export class FeatureAnalyses {
  readonly #context: DeviceContext;
  readonly #flows: FeatureFlows;
  readonly #reconstructions: Reconstructions;
  readonly #topLogits: TopLogits;

  constructor(context: DeviceContext, topLogits: TopLogits) {
    this.#topLogits = topLogits;
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
    name: "features" | "featureFlow" | "lossEffects" | "saeFit",
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

  /**
   * How well an autoencoder does: one run to encode and decode, one more with the reconstruction, and with zeros, in the
   * activation's place. What the autoencoder was not trained to see, such as the mean over channels, stays.
   */
  async fit(
    asked: Argument<"saeFit">,
    isWanted: () => boolean,
  ): Promise<Questions["saeFit"]["result"]> {
    const { architecture, device, passes, saes } = this.#context;
    const { ids } = asked;
    const loaded = await saes.get(asked.sae);
    const { sae } = loaded;
    const first = asked.beginsWithBos ? 1 : 0;
    const width = sae.config.outputs;
    const plain = await passes.run(
      [{ ids }],
      { keep: this.keepFor("saeFit", asked), isWanted },
      async (run) => {
        const prompt = run.prompts[0]!;
        const encoded = await encodePrompt(device, run, { prompt, loaded });
        const { recon, error } = await this.#reconstructions.of(run, { prompt, sae, encoded });
        const { positions } = encoded;
        const fit = fitOf({ recon, error, positions, width, first });
        return { recon, error, fit, cacheHit: prompt.cacheHit };
      },
    );
    const { recon, error, fit, cacheHit } = plain;
    const place = placeOf(targetOfSae(sae.config), architecture);
    const withSae = additions(place, error.map((v) => -v), { width, first });
    const withZeros = additions(place, recon.map((v, at) => -v - error[at]!), { width, first: 0 });
    const keep: SiteOfLayer[] = [{ site: "RESID_PRE", layer: architecture.layers }];
    const prompts = [{ ids }, { ids, interventions: withSae }, { ids, interventions: withZeros }];
    const [ce, ceWithSae, ceWithZeros] = await passes.run(
      prompts,
      { keep, cache: "none", isWanted },
      async (run) => {
        const means: number[] = [];
        for (const prompt of run.prompts) {
          const losses = await lossesOf(this.#context, this.#topLogits, { run, prompt });
          means.push(meanOf(losses.subarray(first)));
        }
        return means;
      },
    );
    return { ...fit, ce: ce!, ceWithSae: ceWithSae!, ceWithZeros: ceWithZeros!, cacheHit };
  }
}

/** A site by its one name: the stream after a layer is the stream before the next. */
function placeOf({ site, layer }: SiteOfLayer, { layers }: Architecture): SiteOfLayer {
  if (site !== "RESID_POST" || layer === layers - 1) return { site, layer };
  return { site: "RESID_PRE", layer: layer + 1 };
}

/** (T, width) added to a site, from a position on. */
function additions(
  place: SiteOfLayer,
  rows: Float32Array,
  { width, first }: { readonly width: number; readonly first: number },
): Intervention[] {
  return Array.from({ length: rows.length / width - first }, (_, n) => {
    const position = first + n;
    const vector = Array.from(rows.subarray(position * width, (position + 1) * width));
    return { ...place, action: "ADD", positions: [position], vector };
  });
}

function meanOf(values: Float64Array): number {
  return values.reduce((sum, v) => sum + v, 0) / values.length;
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
