import { Float32, Int32, Int64, makeVector } from "apache-arrow";
import { parquetMetadataAsync, parquetRead } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { openBuffer } from "../../input/read_parquet.ts";
import { type Column, type OneBatch, table } from "../statistics_table.ts";

/** Features of a part's prompts: an entry for each that is on, by prompt, position, then the largest first. */
export interface FeatureRows {
  /** The rows of the corpus. */
  readonly prompts: Float64Array<ArrayBuffer>;
  readonly positions: Int32Array<ArrayBuffer>;
  readonly features: Int32Array<ArrayBuffer>;
  readonly activations: Float32Array<ArrayBuffer>;
}

/** The rows as a table: `prompt`, `position`, `feature`, `activation`. */
export function featureRowsTable(
  { prompts, positions, features, activations }: FeatureRows,
  metadata: unknown,
): OneBatch {
  const columns: Column[] = [
    ["prompt", new Int64(), makeVector(BigInt64Array.from(prompts, BigInt))],
    ["position", new Int32(), makeVector(positions)],
    ["feature", new Int32(), makeVector(features)],
    ["activation", new Float32(), makeVector(activations)],
  ];
  return table(columns, metadata);
}

/** Reads such a file, and calls `take` for each row in its order. */
export async function readFeatureRows(
  path: string,
  take: (feature: number, prompt: number, position: number, activation: number) => void,
): Promise<void> {
  using source = await openBuffer(path);
  const metadata = await parquetMetadataAsync(source.buffer);
  let first = 0;
  for (const group of metadata.row_groups) {
    const rows = Number(group.num_rows);
    const columns = new Map<string, ArrayLike<number | bigint>>();
    await parquetRead({
      file: source.buffer,
      metadata,
      rowStart: first,
      rowEnd: first + rows,
      compressors,
      onChunk: ({ columnName, columnData }) => {
        columns.set(columnName, columnData as ArrayLike<number | bigint>);
      },
    });
    const [prompts, positions, features, activations] = NAMES.map((name) => columns.get(name)!);
    for (let row = 0; row < rows; row++) {
      take(
        Number(features![row]),
        Number(prompts![row]),
        Number(positions![row]),
        Number(activations![row]),
      );
    }
    first += rows;
  }
}

const NAMES = ["prompt", "position", "feature", "activation"] as const;
