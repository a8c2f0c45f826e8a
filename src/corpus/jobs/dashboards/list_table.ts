import { Float32, Float64, Int32, Int64, Utf8 } from "apache-arrow";
import { list, type OneBatch, table } from "../statistics_table.ts";
import type { FeatureDashboard } from "./features_table.ts";

/** What a list shows of a feature. */
export interface ListedDashboard extends
  Pick<
    FeatureDashboard,
    "feature" | "label" | "count" | "density" | "max" | "mean" | "promoted"
  > {
  /** The different tokens that it is largest at, the largest first. */
  readonly tokens: readonly string[];
}

/**
 * A row for each feature, without what a list doesn't show. The members of `promoted` are a column each: a list of numbers
 * or texts is read ten times as fast as one of structs.
 */
export function listTable(rows: readonly ListedDashboard[], metadata: unknown): OneBatch {
  return table([
    ["feature", new Int32(), rows.map(({ feature }) => feature)],
    ["label", new Utf8(), rows.map(({ label }) => label)],
    ["count", new Int64(), rows.map(({ count }) => BigInt(count))],
    ["density", new Float64(), rows.map(({ density }) => density)],
    ["max", new Float32(), rows.map(({ max }) => max)],
    ["mean", new Float64(), rows.map(({ mean }) => mean)],
    ["promoted", list(new Utf8()), rows.map((it) => it.promoted.map(({ token }) => token))],
    ["promoted_ids", list(new Int32()), rows.map((it) => it.promoted.map(({ id }) => id))],
    ["promoted_logits", list(new Float32()), rows.map((it) => it.promoted.map((t) => t.logit))],
    ["tokens", list(new Utf8()), rows.map(({ tokens }) => tokens)],
  ], metadata);
}
