import { Float32, Float64, Int32, Int64, Utf8 } from "apache-arrow";
import { list, type OneBatch, type ParquetColumn, table } from "../statistics_table.ts";
import { type FeatureTable, NEAREST, struct, TOKEN } from "./tables_file.ts";
import type { JointFeature } from "./together.ts";

/** A feature over a corpus. */
export interface FeatureDashboard extends FeatureTable {
  readonly feature: number;
  readonly label: string | null;
  /** Tokens that it is on at. */
  readonly count: number;
  /** Of all tokens, BOS left out. */
  readonly density: number;
  readonly max: number;
  /** Of its activations. */
  readonly mean: number;
  /** 50 equal bars of (0, max]. */
  readonly histogram: readonly number[];
  readonly together: readonly JointFeature[];
  readonly examples: readonly FeatureExample[];
}

/** A place where a feature is on, with all of its prompt's. */
export interface FeatureExample {
  /** The row of the corpus. */
  readonly prompt: number;
  readonly position: number;
  readonly activation: number;
  /** Null for the largest; for those that were drawn, the fifth of (0, max] that it is in. */
  readonly group: number | null;
  readonly positions: readonly number[];
  readonly activations: readonly number[];
}

const TOGETHER = struct([["feature", new Int32()], ["jaccard", new Float32()]]);
const EXAMPLE = struct([
  ["prompt", new Int64()],
  ["position", new Int32()],
  ["activation", new Float32()],
  ["group", new Int32()],
  ["positions", list(new Int32())],
  ["activations", list(new Float32())],
]);

/** A row for each feature. */
export function featuresTable(rows: readonly FeatureDashboard[], metadata: unknown): OneBatch {
  const columns: ParquetColumn[] = [
    ["feature", new Int32(), rows.map(({ feature }) => feature)],
    ["label", new Utf8(), rows.map(({ label }) => label)],
    ["count", new Int64(), rows.map(({ count }) => BigInt(count))],
    ["density", new Float64(), rows.map(({ density }) => density)],
    ["max", new Float32(), rows.map(({ max }) => max)],
    ["mean", new Float64(), rows.map(({ mean }) => mean)],
    ["histogram", list(new Int32()), rows.map(({ histogram }) => histogram)],
    ["promoted", list(TOKEN), rows.map(({ promoted }) => promoted)],
    ["suppressed", list(TOKEN), rows.map(({ suppressed }) => suppressed)],
    ["nearest", list(NEAREST), rows.map(({ nearest }) => nearest)],
    ["together", list(TOGETHER), rows.map(({ together }) => together)],
    [
      "examples",
      list(EXAMPLE),
      rows.map(({ examples }) => examples.map((it) => ({ ...it, prompt: BigInt(it.prompt) }))),
    ],
  ];
  return table(columns, metadata);
}
