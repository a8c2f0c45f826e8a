import type { ExamplePrompt } from "../statistics_table.ts";
import type { FeatureExample } from "./features_table.ts";

/** Where nothing is known. */
const NONE = -1;

/** The tokens that each feature is largest at: its places first, then the prompts that they are in. */
export class LargestTokens {
  readonly #top: number;
  /** (F, top): the places of each feature, the largest first. */
  readonly #prompts: Float64Array<ArrayBuffer>;
  readonly #positions: Int32Array<ArrayBuffer>;
  /** (F, top): the numbers of their texts. */
  readonly #tokens: Int32Array<ArrayBuffer>;
  readonly #texts: string[] = [];
  readonly #numbers = new Map<string, number>();
  /** Places by prompt, and how many of them have their token. */
  #order: Float64Array<ArrayBuffer> | undefined;
  #done = 0;

  /** @param top The most places of a feature. */
  constructor(features: number, top: number) {
    this.#top = top;
    this.#prompts = new Float64Array(features * top).fill(NONE);
    this.#positions = new Int32Array(features * top);
    this.#tokens = new Int32Array(features * top).fill(NONE);
  }

  /** Takes the places of a feature's examples, the largest first; those that were drawn are left out. */
  add(feature: number, examples: readonly FeatureExample[]): void {
    let at = feature * this.#top;
    for (const { prompt, position, group } of examples) {
      if (group !== null) continue;
      this.#prompts[at] = prompt;
      this.#positions[at++] = position;
    }
  }

  /** Takes a prompt, after all places. Prompts come in their order. */
  read({ row, tokens }: Pick<ExamplePrompt, "row" | "tokens">): void {
    const order = this.#order ??= this.#byPrompt();
    const size = this.#prompts.length;
    for (; this.#done < order.length; this.#done++) {
      const place = order[this.#done]! % size;
      if (this.#prompts[place]! > row) return;
      if (this.#prompts[place] === row) {
        this.#tokens[place] = this.#numberOf(tokens[this.#positions[place]!]!);
      }
    }
  }

  /** The different tokens of a feature, that of its largest place first. */
  of(feature: number): readonly string[] {
    const first = feature * this.#top;
    const tokens = new Set(this.#tokens.subarray(first, first + this.#top));
    tokens.delete(NONE);
    return Array.from(tokens, (token) => this.#texts[token]!);
  }

  /** Sorted as numbers, which is quick: prompt and place in one. */
  #byPrompt(): Float64Array<ArrayBuffer> {
    const size = this.#prompts.length;
    const order = new Float64Array(this.#prompts.filter((prompt) => prompt !== NONE).length);
    let n = 0;
    this.#prompts.forEach((prompt, place) => {
      if (prompt !== NONE) order[n++] = prompt * size + place;
    });
    return order.sort();
  }

  #numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    this.#numbers.set(text, this.#texts.length);
    return this.#texts.push(text) - 1;
  }
}
