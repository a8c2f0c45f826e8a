import {
  type DataType,
  Field,
  Float32,
  Float64,
  Int32,
  Int64,
  List,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Utf8,
  Vector,
  vectorFromArray,
} from "apache-arrow";
import type { Example } from "../../requests/head_statistics/example.ts";
import {
  type HeadStatistics,
  HEADVIS_METRICS,
  STATISTICS,
} from "../../requests/head_statistics/statistics.ts";

/** A prompt that examples are of. */
export interface ExamplePrompt {
  /** The row of the corpus. */
  readonly row: number;
  readonly prompt: string | null;
  readonly ids: readonly number[];
  /** The texts of its tokens, BOS first. */
  readonly tokens: readonly string[];
}

/** A table of one batch. */
export interface OneBatch {
  readonly schema: Schema;
  readonly batch: RecordBatch;
}

/**
 * A row for each head: `layer`, `head`, `targets`, `induction_targets`, every statistic, profiles by distance, examples.
 *
 * @param headvis Whether HeadVis' metrics are columns too.
 */
export function statisticsTable(
  heads: readonly HeadStatistics[],
  metadata: unknown,
  { headvis }: { readonly headvis: boolean },
): OneBatch {
  const names = [...Object.keys(STATISTICS), ...headvis ? HEADVIS_METRICS : []];
  const profile = list(new Float64());
  return table([
    ["layer", new Int32(), heads.map(({ layer }) => layer)],
    ["head", new Int32(), heads.map(({ head }) => head)],
    ["targets", new Int64(), heads.map(({ targets }) => BigInt(targets))],
    ["induction_targets", new Int64(), heads.map((it) => BigInt(it.inductionTargets))],
    ...names.map((name): ParquetColumn => [
      name,
      new Float64(),
      heads.map(({ values }) => values[name] ?? null),
    ]),
    ["by_distance", profile, heads.map(({ byDistance }) => byDistance)],
    ["by_distance_no_bos", profile, heads.map(({ byDistanceNoBos }) => byDistanceNoBos)],
    ["flow_by_distance", profile, heads.map(({ flowByDistance }) => flowByDistance)],
    ["examples", list(EXAMPLE), heads.map(({ examples }) => examples.map(writable))],
    ["examples_by_prompt", list(EXAMPLE), heads.map((it) => it.examplesByPrompt.map(writable))],
  ], metadata);
}

/** A row for each prompt that examples are of: `prompt` (its row), `text`, `ids`, `tokens`. */
export function examplesTable(prompts: readonly ExamplePrompt[], metadata: unknown): OneBatch {
  return table([
    ["prompt", new Int64(), prompts.map(({ row }) => BigInt(row))],
    ["text", new Utf8(), prompts.map(({ prompt }) => prompt)],
    ["ids", list(new Int32()), prompts.map(({ ids }) => ids)],
    ["tokens", list(new Utf8()), prompts.map(({ tokens }) => tokens)],
  ], metadata);
}

/** A row for each row of a part: `index`, `tokens` (how many), `code`, `message`. */
export function rowsTable(
  rows: readonly {
    readonly index: number;
    readonly tokens: number | null;
    readonly code: string | null;
    readonly message: string | null;
  }[],
  metadata: unknown,
): OneBatch {
  return table([
    ["index", new Int64(), rows.map(({ index }) => BigInt(index))],
    ["tokens", new Int32(), rows.map(({ tokens }) => tokens)],
    ["code", new Utf8(), rows.map(({ code }) => code)],
    ["message", new Utf8(), rows.map(({ message }) => message)],
  ], metadata);
}

/** A column: its numbers as a vector, or values of any kind. */
export type ParquetColumn = readonly [
  name: string,
  type: DataType,
  values: readonly unknown[] | Vector,
];

const EXAMPLE = new Struct([
  new Field("prompt", new Int64(), false),
  new Field("target", new Int32(), false),
  new Field("source", new Int32(), false),
  new Field("weight", new Float32(), false),
]);

function writable({ prompt, ...example }: Example): unknown {
  return { prompt: BigInt(prompt), ...example };
}

/** Lists of a type. */
export function list(type: DataType): List {
  return new List(new Field("item", type, true));
}

/** Makes a table of columns, with metadata under `infoflow` in the schema. */
export function table(columns: readonly ParquetColumn[], metadata: unknown): OneBatch {
  const fields = columns.map(([name, type]) => new Field(name, type, true));
  const schema = new Schema(fields, new Map([["infoflow", JSON.stringify(metadata)]]));
  const children = columns.map(([, type, values]) =>
    (values instanceof Vector ? values : vectorFromArray(values, type)).data[0]!
  );
  const length = columns[0]![2].length;
  const data = makeData({ type: new Struct(fields), length, nullCount: 0, children });
  return { schema, batch: new RecordBatch(schema, data) };
}
