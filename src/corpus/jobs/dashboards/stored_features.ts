/** The summary of a part beside its files. */
export interface StoredFeatures {
  readonly features: number;
  /** Positions that were looked at, BOS left out. */
  readonly positions: number;
  /** Tokens of the longest prompt. */
  readonly longest: number;
}
