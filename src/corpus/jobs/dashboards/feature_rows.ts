import {
  Field,
  Float32,
  Int32,
  Int64,
  makeData,
  makeVector,
  RecordBatch,
  Schema,
  Struct,
} from "apache-arrow";
import { type FileMetaData, parquetMetadataAsync, parquetRead } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { openBuffer } from "../../input/read_parquet.ts";
import { writeParquet } from "../../output/write_parquet.ts";

/** Places where features are on, column by column. */
export interface FeatureRows {
  /** The rows of the corpus. */
  readonly prompts: Float64Array<ArrayBuffer>;
  readonly positions: Int32Array<ArrayBuffer>;
  readonly features: Int32Array<ArrayBuffer>;
  readonly activations: Float32Array<ArrayBuffer>;
}

/** Rows of a row group: what a reader has of a file in memory. */
const GROUP_ROWS = 16_384;

const SCHEMA = [
  new Field("prompt", new Int64(), false),
  new Field("position", new Int32(), false),
  new Field("feature", new Int32(), false),
  new Field("activation", new Float32(), false),
];

/** Writes rows as a file: `prompt`, `position`, `feature`, `activation`. @returns Its bytes. */
export async function writeFeatureRows(
  path: string,
  { prompts, positions, features, activations }: FeatureRows,
  metadata: unknown,
): Promise<number> {
  const schema = new Schema(SCHEMA, new Map([["infoflow", JSON.stringify(metadata)]]));
  const wide = new Uint32Array(2 * prompts.length);
  prompts.forEach((prompt, n) => {
    wide[2 * n] = prompt;
    wide[2 * n + 1] = prompt / 2 ** 32;
  });
  const columns = [new BigInt64Array(wide.buffer), positions, features, activations];
  const children = columns.map((column) => makeVector(column).data[0]!);
  const type = new Struct(SCHEMA);
  const data = makeData({ type, length: positions.length, nullCount: 0, children });
  return await writeParquet(path, schema, [new RecordBatch(schema, data)], GROUP_ROWS);
}

/** Room for rows. */
export function emptyRows(size: number): FeatureRows {
  return {
    prompts: new Float64Array(size),
    positions: new Int32Array(size),
    features: new Int32Array(size),
    activations: new Float32Array(size),
  };
}

/** A file of rows, read a row group at a time. */
export class FeatureRowsFile {
  readonly #path: string;
  readonly #metadata: FileMetaData;

  private constructor(path: string, metadata: FileMetaData) {
    this.#path = path;
    this.#metadata = metadata;
  }

  /** Reads the footer of a file. */
  static async open(path: string): Promise<FeatureRowsFile> {
    using source = await openBuffer(path);
    return new FeatureRowsFile(path, await parquetMetadataAsync(source.buffer));
  }

  /** How many row groups it has. */
  get groups(): number {
    return this.#metadata.row_groups.length;
  }

  /** Reads a row group. */
  async group(index: number): Promise<FeatureRows> {
    const groups = this.#metadata.row_groups;
    const first = groups.slice(0, index).reduce((sum, { num_rows: rows }) => sum + Number(rows), 0);
    return await this.#read(first, first + Number(groups[index]!.num_rows));
  }

  /** Reads all rows, a row group at a time: so no more than one is decompressed at once. */
  async all(): Promise<FeatureRows> {
    const all = emptyRows(Number(this.#metadata.num_rows));
    let at = 0;
    for (let index = 0; index < this.groups; index++) {
      const rows = await this.group(index);
      all.prompts.set(rows.prompts, at);
      all.positions.set(rows.positions, at);
      all.features.set(rows.features, at);
      all.activations.set(rows.activations, at);
      at += rows.features.length;
    }
    return all;
  }

  async #read(rowStart: number, rowEnd: number): Promise<FeatureRows> {
    const size = rowEnd - rowStart;
    const wide = new BigInt64Array(size);
    const rows = emptyRows(size);
    using source = await openBuffer(this.#path);
    await parquetRead({
      file: source.buffer,
      metadata: this.#metadata,
      rowStart,
      rowEnd,
      compressors,
      onChunk: ({ columnName, columnData, rowStart: at }) => {
        if (columnName === "prompt") wide.set(columnData as BigInt64Array, at - rowStart);
        else rows[`${columnName as "feature"}s`].set(columnData as Int32Array, at - rowStart);
      },
    });
    const words = new Uint32Array(wide.buffer);
    for (let n = 0; n < size; n++) rows.prompts[n] = words[2 * n]! + 2 ** 32 * words[2 * n + 1]!;
    return rows;
  }
}
