import { InfoflowError } from "../../errors.ts";
import type { Dashboards } from "../dashboards/dashboards.ts";
import type { FeatureIndex } from "../dashboards/feature_index.ts";
import { quantileOf } from "../dashboards/quantile.ts";
import type { StoredCorpus, StoredFeature, TokenWeight } from "../dashboards/stored_feature.ts";
import { checkInteger } from "./check_integer.ts";
import { dashboardsOf } from "./dashboards_of.ts";
import type { LoadedModel } from "./loaded_model.ts";
import { findSae, type Sae } from "./sae.ts";

/** A place of the corpus where a feature is on, as GraphQL says it. */
export interface FeatureExample {
  /** The row of the corpus. */
  readonly prompt: number;
  readonly position: number;
  readonly activation: number;
  readonly group: number | null;
  /** Null where the row had token ids. */
  readonly text: string | null;
  readonly ids: readonly number[];
  readonly tokens: readonly string[];
  /** At each token. */
  readonly activations: readonly number[];
}

/** The most examples in one answer. */
const MOST_EXAMPLES = 100;
/** As in `schema.graphql`. */
const DEFAULT_EXAMPLES = 10;

/** The dashboard of a feature, as GraphQL says it. */
export class FeatureCard {
  readonly sae: Sae;
  readonly #dashboards: Dashboards;
  readonly #stored: StoredFeature;

  constructor(sae: Sae, dashboards: Dashboards, stored: StoredFeature) {
    this.sae = sae;
    this.#dashboards = dashboards;
    this.#stored = stored;
  }

  get index(): number {
    return this.#stored.feature;
  }

  get label(): string | null {
    return this.#stored.label;
  }

  get count(): number {
    return Number(this.#stored.count);
  }

  get density(): number {
    return this.#stored.density;
  }

  get max(): number {
    return this.#stored.max;
  }

  get mean(): number {
    return this.#stored.mean;
  }

  get histogram(): readonly number[] {
    return this.#stored.histogram;
  }

  get promoted(): readonly TokenWeight[] {
    return this.#stored.promoted;
  }

  get suppressed(): readonly TokenWeight[] {
    return this.#stored.suppressed;
  }

  /** What it was made of. */
  async corpus(): Promise<StoredCorpus> {
    return await this.#dashboards.corpus();
  }

  async nearest(): Promise<(StoredFeature["nearest"][number] & Labelled)[]> {
    return labelled(this.#stored.nearest, await this.#dashboards.index());
  }

  async together(): Promise<({ readonly jaccard: number } & Labelled)[] | null> {
    const { together } = this.#stored;
    return together && labelled(together, await this.#dashboards.index());
  }

  /**
   * Places where it is on: the largest, or those that were drawn of a fifth of (0, max].
   *
   * @throws {InfoflowError} BAD_USER_INPUT if n or the group can't be.
   */
  async examples(
    { n: asked, group }: { readonly n: number | null; readonly group?: number | null | undefined },
  ): Promise<FeatureExample[]> {
    const n = checkInteger("n", asked ?? DEFAULT_EXAMPLES, { min: 1, max: MOST_EXAMPLES });
    if (group !== undefined && group !== null) checkInteger("group", group, { min: 0, max: 4 });
    const chosen = this.#stored.examples.filter((it) => it.group === (group ?? null)).slice(0, n);
    return await Promise.all(chosen.map(async (it) => {
      const prompt = Number(it.prompt);
      const { text, ids, tokens } = (await this.#dashboards.prompt(prompt))!;
      const activations = new Array<number>(tokens.length).fill(0);
      it.positions.forEach((position, at) => activations[position] = it.activations[at]!);
      const { position, activation } = it;
      return { prompt, position, activation, group: it.group, text, ids, tokens, activations };
    }));
  }

  /** How many of its activations over the corpus are smaller than one, as a share: how unusual it is. */
  quantile({ activation }: { readonly activation: number }): number {
    return quantileOf(activation, this.#stored);
  }
}

/** A feature beside another one. */
interface Labelled {
  readonly feature: number;
  readonly label: string | null;
}

function labelled<Other extends { readonly feature: number }>(
  others: readonly Other[],
  index: FeatureIndex,
): (Other & Labelled)[] {
  return others.map((it) => ({ ...it, label: index.label(it.feature) }));
}

/**
 * Finds the dashboard of a feature.
 *
 * @throws {InfoflowError} BAD_USER_INPUT if there is no such autoencoder or feature, or it has no dashboards.
 */
export async function featureCard(
  model: LoadedModel,
  { sae: name, index }: { readonly sae: string; readonly index: number },
): Promise<FeatureCard> {
  const sae = findSae(model, name);
  checkInteger("index", index, { min: 0, max: sae.features - 1 });
  const dashboards = dashboardsOf(model, sae);
  const stored = await dashboards.feature(index);
  if (stored) return new FeatureCard(sae, dashboards, stored);
  const { size } = await dashboards.index();
  throw new InfoflowError(
    "BAD_USER_INPUT",
    `Cannot show feature ${index} of ${name} as its dashboards have ${size}: were they made of another autoencoder?`,
    { index, features: size },
  );
}
