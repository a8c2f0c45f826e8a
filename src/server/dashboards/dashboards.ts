import { FeatureIndex } from "./feature_index.ts";
import { FeatureTokens } from "./feature_tokens.ts";
import { listRows, tokenLists } from "./list_rows.ts";
import { ParquetRows } from "./parquet_rows.ts";
import type { StoredCorpus, StoredFeature, StoredPrompt } from "./stored_feature.ts";

/** The dashboards of one autoencoder, read from the disk as they are looked at, a row group at a time. */
export class Dashboards {
  readonly #directory: string;
  readonly #features: ParquetRows<StoredFeature>;
  readonly #prompts: ParquetRows<StoredPrompt>;
  #index: Promise<FeatureIndex> | undefined;
  #histograms: Promise<readonly Int32Array[]> | undefined;
  #tokens: Promise<FeatureTokens> | undefined;
  #rowsOfPrompts: Promise<ReadonlyMap<number, number>> | undefined;

  /** @param directory What `deno task dashboards` wrote to. */
  constructor(directory: string) {
    this.#directory = directory;
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

  /** The tokens that features are largest at. */
  async tokens(): Promise<FeatureTokens> {
    return await (this.#tokens ??= this.#readTokens());
  }

  async #readIndex(): Promise<FeatureIndex> {
    const index = new FeatureIndex();
    for await (const rows of listRows(this.#directory)) index.add(rows);
    return index;
  }

  async #readHistograms(): Promise<readonly Int32Array[]> {
    const histograms: Int32Array[] = [];
    for await (const rows of this.#features.groups(["histogram"])) {
      for (const { histogram } of rows) histograms.push(Int32Array.from(histogram));
    }
    return histograms;
  }

  async #readTokens(): Promise<FeatureTokens> {
    const ranked: (readonly string[])[] = [];
    for await (const tokens of tokenLists(this.#directory)) ranked.push(tokens);
    return new FeatureTokens(ranked);
  }

  async #indexPrompts(): Promise<ReadonlyMap<number, number>> {
    const rows = new Map<number, number>();
    for await (const group of this.#prompts.groups(["prompt"])) {
      for (const { prompt } of group) rows.set(Number(prompt), rows.size);
    }
    return rows;
  }
}
