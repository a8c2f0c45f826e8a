/**
 * Places in a layer where activations can be read or changed, in the order in which a layer computes them. T tokens, C
 * channels, H heads of D channels:
 *
 * | site | shape | what it is |
 * |---|---|---|
 * | `RESID_PRE` | (T, C) | the residual stream before the layer |
 * | `Q`, `K`, `V` | (T, H, D) | queries, keys and values, with their biases |
 * | `SCORES` | (H, T, T) | scaled and masked, before the softmax |
 * | `PATTERN` | (H, T, T) | after it: nothing divides a row again |
 * | `Z` | (T, H, D) | what heads mix: `sum_j A v` |
 * | `ATTN_OUT` | (T, C) | what all heads write, with the bias |
 * | `RESID_MID` | (T, C) | the residual stream between attention and MLP |
 * | `MLP_OUT` | (T, C) | what the MLP writes |
 * | `RESID_POST` | (T, C) | the residual stream after the layer: `RESID_PRE` of the next one |
 */
export const SITES = [
  "RESID_PRE",
  "Q",
  "K",
  "V",
  "SCORES",
  "PATTERN",
  "Z",
  "ATTN_OUT",
  "RESID_MID",
  "MLP_OUT",
  "RESID_POST",
] as const;

/** One of {@linkcode SITES}. */
export type Site = typeof SITES[number];

/** Whether a site has a part for each head. */
export function hasHeads(site: Site): boolean {
  return site === "Q" || site === "K" || site === "V" || site === "Z" || isSquare(site);
}

/** Whether a site has a number for each target and source, not a vector for each position. */
export function isSquare(site: Site): site is "SCORES" | "PATTERN" {
  return site === "SCORES" || site === "PATTERN";
}
