import type { SaeReport } from "../../requests/sae/sae_config.ts";

/**
 * Finds how well an autoencoder does by its own `cfg.json`: `l0`, `explained_variance` and `ce_score` as they are, or
 * the mean over the texts under `held_out`, weighted by their tokens.
 *
 * @param metadata What `cfg.json` says beside the sizes.
 */
export function reportOf(metadata: Readonly<Record<string, unknown>>): SaeReport {
  const texts = Object.values((metadata.held_out ?? {}) as Record<string, Record<string, unknown>>);
  const mean = (name: string): number | undefined => {
    const own = metadata[name];
    if (typeof own === "number") return own;
    let [sum, tokens] = [0, 0];
    for (const text of texts) {
      const [value, count] = [text[name], text.tokens];
      if (typeof value !== "number" || typeof count !== "number") continue; // a count of them all
      sum += value * count;
      tokens += count;
    }
    return tokens > 0 ? sum / tokens : undefined;
  };
  return {
    l0: mean("l0"),
    explainedVariance: mean("explained_variance"),
    ceScore: mean("ce_score"),
  };
}
