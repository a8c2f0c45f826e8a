import {
  Bool,
  type DataType,
  Field,
  Float64,
  Int32,
  Int64,
  List,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import type { InputBatch } from "../../server/batch/input_batch.ts";

/** What a column of a file without types of its own has; `json` is what has no other kind, written as JSON. */
export type ColumnKind = "utf8" | "bool" | "int64" | "float64" | "ids" | "json";

const TYPES: Readonly<Record<ColumnKind, () => DataType>> = {
  utf8: () => new Utf8(),
  bool: () => new Bool(),
  int64: () => new Int64(),
  float64: () => new Float64(),
  ids: () => new List(new Field("item", new Int32(), true)),
  json: () => new Utf8(),
};

/** The kind of a value; undefined for null, which fits any. */
export function kindOf(value: unknown): ColumnKind | undefined {
  switch (typeof value) {
    case "string":
      return "utf8";
    case "boolean":
      return "bool";
    case "bigint":
      return "int64";
    case "number":
      return Number.isSafeInteger(value) ? "int64" : "float64";
    case "undefined":
      return undefined;
    default:
      if (value === null) return undefined;
      return isIds(value) ? "ids" : "json";
  }
}

/** The kind that has room for both. */
export function commonKind(
  a: ColumnKind | undefined,
  b: ColumnKind | undefined,
): ColumnKind | undefined {
  if (a === undefined || b === undefined || a === b) return a ?? b;
  const numbers = ["int64", "float64"];
  return numbers.includes(a) && numbers.includes(b) ? "float64" : "json";
}

/** Makes a batch of values, row by row. */
export function batchOfRows(
  rows: readonly (Readonly<Record<string, unknown>> | undefined)[],
  kinds: ReadonlyMap<string, ColumnKind>,
  faults: InputBatch["faults"],
): InputBatch {
  const fields = [...kinds].map(([name, kind]) => new Field(name, TYPES[kind](), true));
  const children = [...kinds].map(([name, kind]) => {
    const values = rows.map((row) => converted(row?.[name], kind));
    return vectorFromArray(values, TYPES[kind]()).data[0]!;
  });
  const data = makeData({ type: new Struct(fields), length: rows.length, nullCount: 0, children });
  return { batch: new RecordBatch(new Schema(fields), data), faults };
}

function converted(value: unknown, kind: ColumnKind): unknown {
  if (value === null || value === undefined) return null;
  if (kind === "int64") return BigInt(value as number | bigint);
  if (kind === "float64") return Number(value);
  if (kind === "ids") return (value as unknown[]).map((id) => id === null ? null : Number(id));
  if (kind === "json" && typeof value !== "string") return JSON.stringify(value, writable);
  return value;
}

function writable(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  return value instanceof Uint8Array ? Array.from(value) : value;
}

function isIds(value: unknown): boolean {
  return Array.isArray(value) && value.every((it) => it === null || (it | 0) === it);
}
