import { Field, Float32, Float64, Int32, Int64, Struct, Utf8 } from "apache-arrow";
import { type Column, list, type OneBatch, table } from "../statistics_table.ts";
import type { TokenWeight } from "./stored_features.ts";
import type { Place } from "./tally.ts";

/** A feature over a corpus. */
export interface FeatureDashboard {
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
  readonly promoted: readonly TokenWeight[];
  readonly suppressed: readonly TokenWeight[];
  readonly nearest: readonly { readonly feature: number; readonly cosine: number }[];
  /** Null where there are too many features for a table of pairs. */
  readonly together: readonly { readonly feature: number; readonly jaccard: number }[] | null;
  readonly examples: readonly FeatureExample[];
}

/** A place where a feature is on, with all of its prompt's. */
export interface FeatureExample extends Place {
  /** Null for the largest; for those that were drawn, the fifth of (0, max] that it is in. */
  readonly group: number | null;
  readonly positions: readonly number[];
  readonly activations: readonly number[];
}

const struct = (fields: readonly (readonly [string, Field["type"]])[]): Struct =>
  new Struct(fields.map(([name, type]) => new Field(name, type, true)));
const TOKEN = struct([["id", new Int32()], ["token", new Utf8()], ["logit", new Float32()]]);
const NEAREST = struct([["feature", new Int32()], ["cosine", new Float32()]]);
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
  const columns: Column[] = [
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
