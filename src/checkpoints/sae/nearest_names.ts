import { distance } from "fastest-levenshtein";

/** The existing names most similar to an unknown one, the most similar first. */
export function nearestNames(name: string, names: Iterable<string>, count = 3): string[] {
  return [...names]
    .map((it) => ({ it, far: distance(name, it) }))
    .sort((a, b) => a.far - b.far)
    .slice(0, count)
    .map(({ it }) => it);
}
