import type { ListedFeatureRow } from "./list_rows.ts";
import type { TokenWeight } from "./stored_feature.ts";

/** What a list shows of a feature. */
export interface FeatureSummary {
  readonly index: number;
  readonly label: string | null;
  readonly count: number;
  readonly density: number;
  readonly max: number;
  readonly mean: number;
  readonly promoted: readonly TokenWeight[];
}

/** Separates texts of tokens; none of them contains it. */
const BETWEEN = "\uffff";

/**
 * All features as a list shows them, in columns: 131,072 objects with ten tokens each would take ten times the memory.
 */
export class FeatureIndex {
  readonly #labels: (string | null)[] = [];
  readonly #counts: number[] = [];
  readonly #densities: number[] = [];
  readonly #max: number[] = [];
  readonly #means: number[] = [];
  /** The promoted tokens of a feature, one after the other. */
  readonly #promoted: string[] = [];
  readonly #ids: number[] = [];
  readonly #logits: number[] = [];
  readonly #firsts: number[] = [];

  /** Takes the next features in. */
  add(features: readonly ListedFeatureRow[]): void {
    for (const { label, count, density, max, mean, ...lists } of features) {
      this.#labels.push(label);
      this.#counts.push(Number(count));
      this.#densities.push(density);
      this.#max.push(max);
      this.#means.push(mean);
      this.#firsts.push(this.#ids.length);
      this.#promoted.push(lists.promoted.join(BETWEEN));
      for (const id of lists.promoted_ids) this.#ids.push(id);
      for (const logit of lists.promoted_logits) this.#logits.push(logit);
    }
  }

  /** How many features there are. */
  get size(): number {
    return this.#counts.length;
  }

  /** How many of them are never on. */
  get dead(): number {
    return this.#counts.reduce((sum, count) => sum + (count === 0 ? 1 : 0), 0);
  }

  label(feature: number): string | null {
    return this.#labels[feature] ?? null;
  }

  density(feature: number): number {
    return this.#densities[feature]!;
  }

  max(feature: number): number {
    return this.#max[feature]!;
  }

  mean(feature: number): number {
    return this.#means[feature]!;
  }

  /** What a list shows of a feature. */
  summary(feature: number): FeatureSummary {
    const first = this.#firsts[feature]!;
    const end = this.#firsts[feature + 1] ?? this.#ids.length;
    const tokens = first === end ? [] : this.#promoted[feature]!.split(BETWEEN);
    return {
      index: feature,
      label: this.label(feature),
      count: this.#counts[feature]!,
      density: this.#densities[feature]!,
      max: this.#max[feature]!,
      mean: this.#means[feature]!,
      promoted: tokens.map((token, at) => {
        return { token, id: this.#ids[first + at]!, logit: this.#logits[first + at]! };
      }),
    };
  }

  /** Whether a feature's label has a text, in lower case, as a part. */
  isLabelled(feature: number, text: string): boolean {
    return this.#labels[feature]?.toLowerCase().includes(text) ?? false;
  }

  /** Whether a feature promotes a token that has a text, in lower case, as a part. */
  promotes(feature: number, text: string): boolean {
    return this.#promoted[feature]!.toLowerCase().includes(text);
  }
}
