/** A token, and what a feature adds to its logit beyond the mean over the vocabulary. */
export interface TokenWeight {
  readonly id: number;
  readonly token: string;
  readonly logit: number;
}

/** A place of the corpus where a feature is on. */
export interface StoredExample {
  readonly prompt: bigint;
  readonly position: number;
  readonly activation: number;
  /** Null for the largest; the fifth of (0, max] that a drawn one is in. */
  readonly group: number | null;
  /** Where else the feature is on in the prompt, and how much. */
  readonly positions: readonly number[];
  readonly activations: readonly number[];
}

/** A feature over a corpus, as `deno task dashboards` wrote it. */
export interface StoredFeature {
  readonly feature: number;
  readonly label: string | null;
  readonly count: bigint;
  readonly density: number;
  readonly max: number;
  readonly mean: number;
  readonly histogram: readonly number[];
  readonly promoted: readonly TokenWeight[];
  readonly suppressed: readonly TokenWeight[];
  readonly nearest: readonly { readonly feature: number; readonly cosine: number }[];
  readonly together: readonly { readonly feature: number; readonly jaccard: number }[] | null;
  readonly examples: readonly StoredExample[];
}

/** A prompt that examples are of. */
export interface StoredPrompt {
  readonly prompt: bigint;
  /** Null where the row of the corpus had token ids. */
  readonly text: string | null;
  /** As the model read it, BOS first. */
  readonly ids: readonly number[];
  readonly tokens: readonly string[];
}

/** What dashboards were made of. */
export interface StoredCorpus {
  /** The rows of the corpus. */
  readonly rows: number;
  /** Tokens that were looked at, BOS left out. */
  readonly positions: number;
}
