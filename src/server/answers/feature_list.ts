import { InfoflowError } from "../../errors.ts";
import type { Dashboards } from "../dashboards/dashboards.ts";
import type { FeatureIndex, FeatureSummary } from "../dashboards/feature_index.ts";
import type { StoredCorpus } from "../dashboards/stored_feature.ts";
import { checkInteger } from "./check_integer.ts";
import { dashboardsOf } from "./dashboards_of.ts";
import type { LoadedModel } from "./loaded_model.ts";
import { findSae, type Sae } from "./sae.ts";

/** Options of a list of features. */
export interface FeatureListOptions {
  readonly sae: string;
  readonly model?: string | null | undefined;
  /** Part of what is searched in. */
  readonly search?: string | null | undefined;
  readonly in: "ANY" | "LABEL" | "PROMOTED" | "TOKEN";
  readonly minDensity: number;
  readonly maxDensity: number;
  readonly order: "INDEX" | "DENSITY" | "RARITY" | "MAX" | "MEAN";
  readonly first: number;
  readonly after: number;
}

/** A feature in a list, as GraphQL says it. */
export interface ListedFeature extends FeatureSummary {
  /** The tokens that it is largest at. */
  tokens(): Promise<readonly string[]>;
}

const MOST_LISTED = 1000;

/** Part of a list of features, as GraphQL says it. */
export class FeatureList {
  readonly sae: Sae;
  /** How many features the options leave. */
  readonly total: number;
  readonly dead: number;
  readonly features: readonly ListedFeature[];
  readonly options: FeatureListOptions;
  readonly #dashboards: Dashboards;

  constructor(
    sae: Sae,
    { dashboards, index, found, options }: {
      readonly dashboards: Dashboards;
      readonly index: FeatureIndex;
      readonly found: readonly number[];
      readonly options: FeatureListOptions;
    },
  ) {
    const { first, after } = options;
    this.sae = sae;
    this.options = options;
    this.#dashboards = dashboards;
    this.total = found.length;
    this.dead = index.dead;
    this.features = found.slice(after, after + first).map((feature) => {
      return {
        ...index.summary(feature),
        tokens: async () => (await dashboards.tokens()).of(feature),
      };
    });
  }

  /** What they were made of. */
  async corpus(): Promise<StoredCorpus> {
    return await this.#dashboards.corpus();
  }
}

/**
 * Lists features by what their dashboards say.
 *
 * @throws {InfoflowError} BAD_USER_INPUT if there is no such autoencoder, it has no dashboards, or an option can't be.
 */
export async function featureList(
  model: LoadedModel,
  options: FeatureListOptions,
): Promise<FeatureList> {
  const { minDensity, maxDensity, first, after } = options;
  checkInteger("first", first, { min: 1, max: MOST_LISTED });
  checkInteger("after", after, { min: 0, max: 2 ** 30 });
  for (const [name, value] of Object.entries({ minDensity, maxDensity })) {
    if (value >= 0 && value <= 1) continue;
    throw new InfoflowError(
      "BAD_USER_INPUT",
      `Cannot list features as ${name} must be a share from 0 to 1: current value is ${value}`,
      { min: 0, max: 1 },
    );
  }
  const sae = findSae(model, options.sae);
  const dashboards = dashboardsOf(model, sae);
  const [index, found] = await Promise.all([dashboards.index(), find(dashboards, options)]);
  return new FeatureList(sae, { dashboards, index, found, options });
}

/** The numbers of the features that the options leave, in their order. */
async function find(
  dashboards: Dashboards,
  { search, in: where, minDensity, maxDensity, order }: FeatureListOptions,
): Promise<readonly number[]> {
  const index = await dashboards.index();
  const text = search?.toLowerCase();
  const tokens = text && where === "TOKEN" ? await dashboards.tokens() : undefined;
  const isFound = (feature: number): boolean => {
    if (!text) return true;
    if (tokens) return tokens.has(feature, text);
    return where !== "PROMOTED" && index.isLabelled(feature, text) ||
      where !== "LABEL" && index.promotes(feature, text);
  };
  const found: number[] = [];
  for (let feature = 0; feature < index.size; feature++) {
    const density = index.density(feature);
    if (density >= minDensity && density <= maxDensity && isFound(feature)) found.push(feature);
  }
  const by = ORDERS[order](index);
  return by ? found.sort((a, b) => by(b) - by(a) || a - b) : found;
}

/** By what features are sorted, the largest first; nothing where they stay as they are. */
const ORDERS: Readonly<
  Record<
    FeatureListOptions["order"],
    (index: FeatureIndex) => ((feature: number) => number) | undefined
  >
> = {
  INDEX: () => undefined,
  DENSITY: (index) => (feature) => index.density(feature),
  // Those that are never on last: there is nothing to see.
  RARITY: (index) => (feature) => index.density(feature) === 0 ? -2 : -index.density(feature),
  MAX: (index) => (feature) => index.max(feature),
  MEAN: (index) => (feature) => index.mean(feature),
};
