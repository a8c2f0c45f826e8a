import { FeatureIndex, INDEXED } from "./feature_index.ts";
import { ParquetRows } from "./parquet_rows.ts";
import type { StoredCorpus, StoredFeature, StoredPrompt } from "./stored_feature.ts";

/** Tokens that a feature is largest at, which it is found by. */
const MOST_TOKENS = 5;

/** The dashboards of one autoencoder, read from the disk as they are looked at, a row group at a time. */
export class Dashboards {
  readonly #features: ParquetRows<StoredFeature>;
  readonly #prompts: ParquetRows<StoredPrompt>;
  #index: Promise<FeatureIndex> | undefined;
  #histograms: Promise<readonly Int32Array[]> | undefined;
  #tokens: Promise<readonly string[]> | undefined;
  #rowsOfPrompts: Promise<ReadonlyMap<number, number>> | undefined;

  /** @param directory What `deno task dashboards` wrote to: `features.parquet` and `examples.parquet`. */
  constructor(directory: string) {
    this.#features = new ParquetRows(`${directory}/features.parquet`);
    this.#prompts = new ParquetRows(`${directory}/examples.parquet`);
  }

  /** What they were made of. */
  async corpus(): Promise<StoredCorpus> {
    return await this.#features.about() as StoredCorpus;
  }

  /** One feature; undefined if there is none of that number. */
  async feature(index: number): Promise<StoredFeature | undefined> {
    return await this.#features.row(index);
  }

  /** All features, with what a list shows of them. */
  async index(): Promise<FeatureIndex> {
    return await (this.#index ??= this.#readIndex());
  }

  /** The histogram of each feature. */
  async histograms(): Promise<readonly Int32Array[]> {
    return await (this.#histograms ??= this.#readHistograms());
  }

  /** A prompt by its row of the corpus. */
  async prompt(row: number): Promise<StoredPrompt | undefined> {
    const rows = await (this.#rowsOfPrompts ??= this.#indexPrompts());
    const at = rows.get(row);
    return at === undefined ? undefined : await this.#prompts.row(at);
  }

  /** Different tokens that a feature is largest at, the largest first. */
  async tokensOf(feature: number): Promise<readonly string[]> {
    const { examples } = (await this.feature(feature))!;
    const tokens = new Set<string>();
    for (const { prompt, position, group } of examples) {
      if (group !== null || tokens.size === MOST_TOKENS) continue;
      tokens.add((await this.prompt(Number(prompt)))!.tokens[position]!);
    }
    return [...tokens];
  }

  /** The tokens that each feature is largest at, in lower case, as one text. All examples are read for it, once. */
  async tokens(): Promise<readonly string[]> {
    return await (this.#tokens ??= this.#readTokens());
  }

  async #readIndex(): Promise<FeatureIndex> {
    const index = new FeatureIndex();
    for await (const rows of this.#features.groups(INDEXED)) index.add(rows);
    return index;
  }

  async #readHistograms(): Promise<readonly Int32Array[]> {
    const histograms: Int32Array[] = [];
    for await (const rows of this.#features.groups(["histogram"])) {
      for (const { histogram } of rows) histograms.push(Int32Array.from(histogram));
    }
    return histograms;
  }

  async #readTokens(): Promise<readonly string[]> {
    const places = new Map<number, { feature: number; position: number }[]>();
    let features = 0;
    for await (const rows of this.#features.groups(["examples"])) {
      for (const { examples } of rows) {
        for (const { prompt, position, group } of examples) {
          if (group !== null) continue;
          const row = Number(prompt);
          const known = places.get(row) ?? [];
          known.push({ feature: features, position });
          places.set(row, known);
        }
        features++;
      }
    }
    const tokens = Array.from({ length: features }, () => new Set<string>());
    for await (const rows of this.#prompts.groups(["prompt", "tokens"])) {
      for (const { prompt, tokens: texts } of rows) {
        for (const { feature, position } of places.get(Number(prompt)) ?? []) {
          tokens[feature]!.add(texts[position]!.toLowerCase());
        }
      }
    }
    return tokens.map((texts) => [...texts].join("\uffff"));
  }

  async #indexPrompts(): Promise<ReadonlyMap<number, number>> {
    const rows = new Map<number, number>();
    for await (const group of this.#prompts.groups(["prompt"])) {
      for (const { prompt } of group) rows.set(Number(prompt), rows.size);
    }
    return rows;
  }
}
