import { Field, Float32, Int32, Struct, Utf8 } from "apache-arrow";
import { parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import type { FeatureTablesFound } from "../../../requests/sae/feature_questions.ts";
import { openBuffer } from "../../input/read_parquet.ts";
import { ParquetFile } from "../../output/parquet_file.ts";
import { list, type OneBatch, table } from "../statistics_table.ts";

/** A token, and what a feature adds to its logit beyond the mean over the vocabulary. */
export interface TokenWeight {
  readonly id: number;
  readonly token: string;
  readonly logit: number;
}

/** What is known of a feature without a corpus: the tokens that it promotes and suppresses, the nearest features. */
export interface FeatureTable {
  readonly promoted: readonly TokenWeight[];
  readonly suppressed: readonly TokenWeight[];
  readonly nearest: readonly { readonly feature: number; readonly cosine: number }[];
}

/** A struct of members that may be null. */
export function struct(fields: readonly (readonly [string, Field["type"]])[]): Struct {
  return new Struct(fields.map(([name, type]) => new Field(name, type, true)));
}
/** The columns' types, of which there are lists. */
export const TOKEN = struct([["id", new Int32()], ["token", new Utf8()], ["logit", new Float32()]]);
export const NEAREST = struct([["feature", new Int32()], ["cosine", new Float32()]]);

/** Rows that are read and written at a time. */
const ROWS = 1024;

/**
 * Writes what is known of each feature without a corpus, a row each.
 *
 * @param k How many entries there are of each.
 * @returns The file's bytes.
 */
export async function writeTables(
  path: string,
  { raised, lowered, nearest }: FeatureTablesFound,
  { k, textOf, about }: {
    readonly k: number;
    readonly textOf: (id: number) => string;
    readonly about: unknown;
  },
): Promise<number> {
  const file = new ParquetFile(path, tablesTable([], about).schema);
  const entries = (ids: Int32Array, feature: number): number[] =>
    Array.from({ length: k }, (_, n) => feature * k + n).filter((at) => ids[at]! >= 0);
  const tokens = ({ ids, logits }: FeatureTablesFound["raised"], feature: number): TokenWeight[] =>
    entries(ids, feature).map((at) => {
      return { id: ids[at]!, token: textOf(ids[at]!), logit: logits[at]! };
    });
  const features = raised.ids.length / k;
  for (let first = 0; first < features; first += ROWS) {
    const length = Math.min(ROWS, features - first);
    const rows = Array.from({ length }, (_, n): FeatureTable => {
      const feature = first + n;
      return {
        promoted: tokens(raised, feature),
        suppressed: tokens(lowered, feature),
        nearest: entries(nearest.features, feature).map((at) => {
          return { feature: nearest.features[at]!, cosine: nearest.cosines[at]! };
        }),
      };
    });
    await file.write(tablesTable(rows, about).batch);
  }
  return await file.close();
}

/** Reads such a file, feature by feature. */
export async function* readTables(path: string): AsyncGenerator<FeatureTable> {
  using source = await openBuffer(path);
  const { buffer: file } = source;
  const metadata = await parquetMetadataAsync(file);
  const total = Number(metadata.num_rows);
  for (let rowStart = 0; rowStart < total; rowStart += ROWS) {
    const rowEnd = Math.min(rowStart + ROWS, total);
    const rows = await parquetReadObjects({ file, metadata, rowStart, rowEnd, compressors });
    yield* rows as unknown as FeatureTable[];
  }
}

/** A row for each feature: `promoted`, `suppressed`, `nearest`. */
export function tablesTable(rows: readonly FeatureTable[], about: unknown): OneBatch {
  return table([
    ["promoted", list(TOKEN), rows.map(({ promoted }) => promoted)],
    ["suppressed", list(TOKEN), rows.map(({ suppressed }) => suppressed)],
    ["nearest", list(NEAREST), rows.map(({ nearest }) => nearest)],
  ], about);
}
