import { FeatureIndex, INDEXED } from "./feature_index.ts";
import { FeatureTokens } from "./feature_tokens.ts";
import { ParquetRows } from "./parquet_rows.ts";
import type { StoredCorpus, StoredExample, StoredFeature, StoredPrompt } from "./stored_feature.ts";

/** Where an example is, without what else the feature does in its prompt: that is most of the file. */
type ExamplePlace = Pick<StoredExample, "prompt" | "position" | "group">;
const PLACE = ["prompt", "position", "group"];

function isNoPlace([column, ...path]: readonly string[]): boolean {
  if (column === undefined) return false;
  return column !== "examples" || path.length === 3 && !PLACE.includes(path[2]!);
}

/** The dashboards of one autoencoder, read from the disk as they are looked at, a row group at a time. */
export class Dashboards {
  readonly #features: ParquetRows<StoredFeature>;
  readonly #places: ParquetRows<{ readonly examples: readonly ExamplePlace[] }>;
  readonly #prompts: ParquetRows<StoredPrompt>;
  #index: Promise<FeatureIndex> | undefined;
  #histograms: Promise<readonly Int32Array[]> | undefined;
  #tokens: Promise<FeatureTokens> | undefined;
  #rowsOfPrompts: Promise<ReadonlyMap<number, number>> | undefined;

  /** @param directory What `deno task dashboards` wrote to: `features.parquet` and `examples.parquet`. */
  constructor(directory: string) {
    this.#features = new ParquetRows(`${directory}/features.parquet`);
    this.#places = new ParquetRows(`${directory}/features.parquet`, isNoPlace);
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

  /** The tokens that features are largest at. All examples are read for it, once. */
  async tokens(): Promise<FeatureTokens> {
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

  async #readTokens(): Promise<FeatureTokens> {
    const places = new Map<number, { feature: number; rank: number; position: number }[]>();
    const ranked: string[][] = [];
    for await (const rows of this.#places.groups(["examples"])) {
      for (const { examples } of rows) {
        const feature = ranked.push([]) - 1;
        for (const [rank, { prompt, position, group }] of examples.entries()) {
          if (group !== null) continue;
          const row = Number(prompt);
          const known = places.get(row) ?? [];
          known.push({ feature, rank, position });
          places.set(row, known);
        }
      }
    }
    for await (const rows of this.#prompts.groups(["prompt", "tokens"])) {
      for (const { prompt, tokens } of rows) {
        for (const { feature, rank, position } of places.get(Number(prompt)) ?? []) {
          ranked[feature]![rank] = tokens[position]!;
        }
      }
    }
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
