/** Tokens that are shown of a feature. */
const MOST = 5;
/** Separates texts of tokens; none of them contains it. */
const BETWEEN = "\uffff";

/** The tokens that each feature is largest at. */
export class FeatureTokens {
  /** The different ones of a feature, the largest first, one after the other. */
  readonly #texts: readonly string[];

  /** @param ranked The tokens at the largest places of each feature, the largest first. */
  constructor(ranked: readonly (readonly string[])[]) {
    this.#texts = ranked.map((tokens) => [...new Set(tokens)].join(BETWEEN));
  }

  /** The first few of a feature. */
  of(feature: number): readonly string[] {
    const text = this.#texts[feature]!;
    return text === "" ? [] : text.split(BETWEEN).slice(0, MOST);
  }

  /** Whether one of a feature's tokens contains a text that is in lower case; their own case doesn't matter. */
  has(feature: number, text: string): boolean {
    return this.#texts[feature]!.toLowerCase().includes(text);
  }
}
