import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { Intervention } from "../../requests/interventions/intervention.ts";
import type { Answered } from "../../requests/questions.ts";
import type { SaeFitFound } from "../../requests/sae/feature_questions.ts";
import type { SiteOfLayer } from "../activations/kept_sites.ts";
import { encodePrompt } from "../sae/encode_prompt.ts";
import { fitOf } from "../sae/fit_of.ts";
import { Reconstructions } from "../sae/reconstructions.ts";
import { siteOfSae, targetOfSae } from "../sae/site_of_sae.ts";
import { Analysis, type AnalysisContext, type AskOptions } from "./analysis.ts";
import { lossesOf } from "./losses.ts";

/** The quality of an autoencoder on a prompt. The first token is left out if it is BOS. */
export interface SaeFitQuestion {
  readonly argument: {
    readonly ids: readonly number[];
    readonly sae: string;
    readonly beginsWithBos: boolean;
  };
  readonly result: Answered & SaeFitFound;
}

/** Measures the quality of an autoencoder on a prompt. */
export class SaeFitAnalysis extends Analysis<SaeFitQuestion> {
  readonly #reconstructions: Reconstructions;

  constructor(context: AnalysisContext) {
    super(context);
    this.#reconstructions = new Reconstructions(context.device, context.architecture.channels);
  }

  /**
   * Makes one run to encode and decode, one in which the reconstruction replaces the activation, and one in which zeros
   * do. Parts of the activation that the autoencoder is not trained on, such as the mean over channels, stay.
   */
  override async ask(
    asked: SaeFitQuestion["argument"],
    { isWanted }: Pick<AskOptions, "isWanted">,
  ): Promise<SaeFitQuestion["result"]> {
    const { architecture, device, passes, saes } = this.context;
    const { ids } = asked;
    const loaded = await saes.get(asked.sae);
    const { sae } = loaded;
    const first = asked.beginsWithBos ? 1 : 0;
    const width = sae.config.outputs;
    const plain = await passes.run(
      [{ ids }],
      { keep: [siteOfSae(sae.config), targetOfSae(sae.config)], isWanted },
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
          const losses = await lossesOf(this.context, this.context.topLogits, { run, prompt });
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
