/** The summary of a part beside its rows; the first part's also has the tables of features. */
export interface StoredFeatures {
  readonly features: number;
  /** Positions that were looked at, BOS left out. */
  readonly positions: number;
  readonly tables?: FeatureTables;
}

/** What each feature says by itself. */
export interface FeatureTables {
  readonly promoted: readonly (readonly TokenWeight[])[];
  readonly suppressed: readonly (readonly TokenWeight[])[];
  readonly nearest: readonly (readonly { feature: number; cosine: number }[])[];
}

/** A token, and what a feature adds to its logit beyond the mean over the vocabulary. */
export interface TokenWeight {
  readonly id: number;
  readonly token: string;
  readonly logit: number;
}
