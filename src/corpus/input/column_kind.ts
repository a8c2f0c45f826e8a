import { Bool, type DataType, Field, Float64, Int64, List, Struct, Utf8 } from "apache-arrow";

/**
 * The kind of a column's values, for files without Arrow's types. `json` is for values of several kinds, or of none of
 * the others: each is written as JSON. An element or a field is undefined if all its values are null.
 */
export type ColumnKind =
  | "utf8"
  | "bool"
  | "int64"
  | "float64"
  | "json"
  | { readonly list: ColumnKind | undefined }
  | { readonly struct: ReadonlyMap<string, ColumnKind | undefined> };

/** Values that are nested deeper than this, or have more fields, are written as JSON. */
const MOST_LEVELS = 8;
const MOST_FIELDS = 100;

/** The kind of a value; undefined for null, which fits any. */
export function kindOf(value: unknown, level = 0): ColumnKind | undefined {
  switch (typeof value) {
    case "string":
      return "utf8";
    case "boolean":
      return "bool";
    case "bigint":
      return BigInt.asIntN(64, value) === value ? "int64" : "float64";
    case "number":
      return Number.isSafeInteger(value) ? "int64" : "float64";
    case "undefined":
      return undefined;
  }
  if (value === null) return undefined;
  if (level === MOST_LEVELS) return "json";
  const inside = (it: unknown): ColumnKind | undefined => kindOf(it, level + 1);
  if (Array.isArray(value)) {
    return { list: value.reduce((kind, item) => commonKind(kind, inside(item)), undefined) };
  }
  const fields = Object.entries(value as object).map(([name, it]) => [name, inside(it)] as const);
  return structOf(new Map(fields));
}

/** The kind that has room for both. */
export function commonKind(
  a: ColumnKind | undefined,
  b: ColumnKind | undefined,
): ColumnKind | undefined {
  if (a === undefined || b === undefined || a === b) return a ?? b;
  if (typeof a === "string" || typeof b === "string") {
    const areNumbers = [a, b].every((kind) => kind === "int64" || kind === "float64");
    return areNumbers ? "float64" : "json";
  }
  if ("list" in a && "list" in b) return { list: commonKind(a.list, b.list) };
  if (!("struct" in a && "struct" in b)) return "json";
  const fields = new Map(a.struct);
  for (const [name, kind] of b.struct) fields.set(name, commonKind(fields.get(name), kind));
  return structOf(fields);
}

/** The kind of objects with these fields; Parquet has none without fields. */
export function structOf(struct: ReadonlyMap<string, ColumnKind | undefined>): ColumnKind {
  return struct.size === 0 || struct.size > MOST_FIELDS ? "json" : { struct };
}

/** Whether values of a kind may be token ids. */
export function isIds(kind: ColumnKind | undefined): boolean {
  return typeof kind === "object" && "list" in kind &&
    (kind.list === undefined || kind.list === "int64");
}

/** Arrow's type for a kind; text for a column of nulls. */
export function typeOf(kind: ColumnKind = "utf8"): DataType {
  if (typeof kind === "object") {
    if ("list" in kind) return new List(new Field("item", typeOf(kind.list), true));
    return new Struct([...kind.struct].map(([name, kind]) => new Field(name, typeOf(kind), true)));
  }
  switch (kind) {
    case "bool":
      return new Bool();
    case "int64":
      return new Int64();
    case "float64":
      return new Float64();
    default:
      return new Utf8();
  }
}

/** A value as Arrow's builders of a kind's type take it. */
export function converted(value: unknown, kind: ColumnKind | undefined): unknown {
  if (value === null || value === undefined || kind === undefined) return null;
  if (kind === "int64") return BigInt(value as number | bigint);
  if (kind === "float64") return Number(value);
  if (kind === "json") return JSON.stringify(value, writable);
  if (typeof kind === "string") return value;
  if ("list" in kind) return (value as unknown[]).map((item) => converted(item, kind.list));
  const object = value as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    [...kind.struct].map(([name, kind]) => [
      name,
      converted(Object.hasOwn(object, name) ? object[name] : null, kind),
    ]),
  );
}

function writable(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  return value instanceof Uint8Array ? Array.from(value) : value;
}
