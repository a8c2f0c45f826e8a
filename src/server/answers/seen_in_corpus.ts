import type { Dashboards } from "../dashboards/dashboards.ts";
import { quantileOf } from "../dashboards/quantile.ts";

/** What dashboards say of a feature that is on, as GraphQL asks for it. */
export interface SeenInCorpus {
  /** What people call it. */
  label(): Promise<string | null>;
  /** The share of its activations over the corpus that are smaller. */
  quantile(): Promise<number | null>;
}

/**
 * What dashboards say of a feature and its activation; nothing where there are none.
 *
 * @param activation As the autoencoder computes it, on whatever scale it is shown.
 */
export function seenInCorpus(
  dashboards: Dashboards | undefined,
  { feature, activation }: { readonly feature: number; readonly activation: number },
): SeenInCorpus {
  return {
    label: async () => (await dashboards?.index())?.label(feature) ?? null,
    quantile: async () => {
      if (!dashboards) return null;
      const [index, histograms] = await Promise.all([dashboards.index(), dashboards.histograms()]);
      const histogram = histograms[feature];
      return histogram ? quantileOf(activation, { histogram, max: index.max(feature) }) : null;
    },
  };
}
