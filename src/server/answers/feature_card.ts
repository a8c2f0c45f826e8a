import { InfoflowError } from "../../errors.ts";
import type { Dashboards, StoredFeature } from "../dashboards/dashboards.ts";
import type { FeatureSummary, TokenWeight } from "../dashboards/dashboards.ts";
import { checkInteger } from "./check_integer.ts";
import type { LoadedModel } from "./loaded_model.ts";
import { findSae, type Sae } from "./sae.ts";

/** A place of the corpus where a feature is on, as GraphQL says it. */
export interface FeatureExample {
  /** The row of the corpus. */
  readonly prompt: number;
  readonly position: number;
  readonly activation: number;
  readonly group: number | null;
  readonly tokens: readonly string[];
  /** At each token. */
  readonly activations: readonly number[];
}

/** The most examples, and features of a list, in one answer. */
const MOST_EXAMPLES = 100;
/** As in `schema.graphql`. */
const DEFAULT_EXAMPLES = 10;
const MOST_LISTED = 1000;

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

  get nearest(): StoredFeature["nearest"] {
    return this.#stored.nearest;
  }

  get together(): StoredFeature["together"] {
    return this.#stored.together;
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
      const { tokens } = (await this.#dashboards.prompt(prompt))!;
      const activations = new Array<number>(tokens.length).fill(0);
      it.positions.forEach((position, at) => activations[position] = it.activations[at]!);
      const { position, activation } = it;
      return { prompt, position, activation, group: it.group, tokens, activations };
    }));
  }

  /** How many of its activations over the corpus are smaller than one, as a share: how unusual it is. */
  quantile({ activation }: { readonly activation: number }): number {
    const { histogram, max } = this.#stored;
    const total = histogram.reduce((a, b) => a + b, 0);
    if (total === 0 || activation <= 0) return 0;
    const bar = Math.min(histogram.length, activation / max * histogram.length);
    let below = 0;
    histogram.forEach((count, at) => below += count * Math.max(0, Math.min(1, bar - at)));
    return below / total;
  }
}

/** Options of a list of features. */
export interface FeatureListOptions {
  readonly sae: string;
  readonly model?: string | null | undefined;
  /** Part of a label, or of a promoted token. */
  readonly search?: string | null | undefined;
  readonly minDensity: number;
  readonly maxDensity: number;
  readonly order: "INDEX" | "DENSITY" | "MAX";
  readonly first: number;
  readonly after: number;
}

/** Part of a list of features, and how many there are in all. */
export interface FeatureList {
  readonly total: number;
  readonly features: readonly (Omit<FeatureSummary, "feature" | "count"> & {
    readonly index: number;
    readonly count: number;
  })[];
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
  return new FeatureCard(sae, dashboards, (await dashboards.feature(index))!);
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
  const { search, minDensity, maxDensity, order, first, after } = options;
  checkInteger("first", first, { min: 1, max: MOST_LISTED });
  checkInteger("after", after, { min: 0, max: 2 ** 30 });
  const all = await dashboardsOf(model, findSae(model, options.sae)).summaries();
  const text = search?.toLowerCase();
  const found = all.filter(({ density, label, promoted }) =>
    density >= minDensity && density <= maxDensity &&
    (!text || label?.toLowerCase().includes(text) ||
      promoted.some(({ token }) => token.toLowerCase().includes(text)))
  );
  if (order === "DENSITY") found.sort((a, b) => b.density - a.density);
  if (order === "MAX") found.sort((a, b) => b.max - a.max);
  return {
    total: found.length,
    features: found.slice(after, after + first).map(({ feature, count, ...rest }) => {
      return { ...rest, index: feature, count: Number(count) };
    }),
  };
}

function dashboardsOf(model: LoadedModel, { name }: Sae): Dashboards {
  const found = model.dashboards?.get(name);
  if (found) return found;
  throw new InfoflowError(
    "BAD_USER_INPUT",
    `Cannot show dashboards of ${name} as there are none: make them with \`deno task dashboards --sae ${name} TEXT ` +
      "OUT`, then serve with --dashboards OUT",
    { sae: name },
  );
}
