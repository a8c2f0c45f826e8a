import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { LRUCache } from "lru-cache";

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

/** What is shown of a feature in a list. */
export type FeatureSummary = Pick<
  StoredFeature,
  "feature" | "label" | "count" | "density" | "max" | "promoted"
>;

/** A prompt that examples are of. */
export interface StoredPrompt {
  readonly prompt: bigint;
  readonly text: string | null;
  readonly tokens: readonly string[];
}

const SUMMARY = ["feature", "label", "count", "density", "max", "promoted"];
/** Row groups that are kept in memory. */
const KEPT_GROUPS = 32;

/** The dashboards of one autoencoder, read from the disk as they are looked at, a row group at a time. */
export class Dashboards {
  readonly #features: ParquetRows<StoredFeature>;
  readonly #prompts: ParquetRows<StoredPrompt>;
  #summaries: Promise<readonly FeatureSummary[]> | undefined;
  #rowsOfPrompts: Promise<ReadonlyMap<number, number>> | undefined;

  /** @param directory What `deno task dashboards` wrote to: `features.parquet` and `examples.parquet`. */
  constructor(directory: string) {
    this.#features = new ParquetRows(`${directory}/features.parquet`);
    this.#prompts = new ParquetRows(`${directory}/examples.parquet`);
  }

  /** One feature; undefined if there is none of that number. */
  async feature(index: number): Promise<StoredFeature | undefined> {
    return await this.#features.row(index);
  }

  /** All features, with what a list shows of them. */
  async summaries(): Promise<readonly FeatureSummary[]> {
    return await (this.#summaries ??= this.#features.all(SUMMARY));
  }

  /** A prompt by its row of the corpus. */
  async prompt(row: number): Promise<StoredPrompt | undefined> {
    const rows = await (this.#rowsOfPrompts ??= this.#indexPrompts());
    const at = rows.get(row);
    return at === undefined ? undefined : await this.#prompts.row(at);
  }

  async #indexPrompts(): Promise<ReadonlyMap<number, number>> {
    const rows = await this.#prompts.all(["prompt"]);
    return new Map(rows.map(({ prompt }, at) => [Number(prompt), at]));
  }
}

/** Rows of a Parquet file. */
class ParquetRows<Row extends object> {
  readonly #path: string;
  readonly #groups = new LRUCache<number, Promise<readonly Row[]>>({ max: KEPT_GROUPS });
  #metadata: Promise<FileMetaData> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async row(index: number): Promise<Row | undefined> {
    const { row_groups: groups } = await this.#header();
    let first = 0;
    for (const [number, group] of groups.entries()) {
      const end = first + Number(group.num_rows);
      if (index < end) {
        const known = this.#groups.get(number) ?? this.#read(first, end);
        this.#groups.set(number, known);
        return (await known)[index - first];
      }
      first = end;
    }
    return undefined;
  }

  async all(columns: readonly string[]): Promise<readonly Row[]> {
    const { num_rows: rows } = await this.#header();
    return await this.#read(0, Number(rows), [...columns]);
  }

  async #header(): Promise<FileMetaData> {
    return await (this.#metadata ??= this.#withFile((file) => parquetMetadataAsync(file)));
  }

  async #read(rowStart: number, rowEnd: number, columns?: string[]): Promise<readonly Row[]> {
    const metadata = await this.#header();
    const options = { metadata, rowStart, rowEnd, compressors, ...(columns && { columns }) };
    return await this.#withFile(async (file) =>
      await parquetReadObjects({ ...options, file }) as unknown as Row[]
    );
  }

  async #withFile<T>(use: (file: AsyncBuffer) => Promise<T>): Promise<T> {
    using file = await Deno.open(this.#path);
    const { size } = await file.stat();
    let turn: Promise<unknown> = Promise.resolve();
    const read = async (start: number, end: number): Promise<ArrayBuffer> => {
      const bytes = new Uint8Array(end - start);
      await file.seek(start, Deno.SeekMode.Start);
      for (let at = 0; at < bytes.length;) {
        const count = await file.read(bytes.subarray(at));
        if (count === null) throw new RangeError(`Cannot read ${this.#path} as it became shorter`);
        at += count;
      }
      return bytes.buffer;
    };
    return await use({
      byteLength: size,
      slice: (start, end = size) => turn = turn.then(() => read(start, end)),
    } as AsyncBuffer);
  }
}
