/** The most likely tokens of a row. */
export interface TopRow {
  readonly ids: readonly number[];
  readonly logits: readonly number[];
  readonly logProbabilities: readonly number[];
  /** The log-sum-exp of all logits: a token's logit minus this is its log-probability. */
  readonly total: number;
}
