import { BATCH_ROWS, type InputBatch } from "../../server/batch/input_batch.ts";
import { batchOfRows } from "./batch_of_rows.ts";
import { type ColumnKind, commonKind, isIds, kindOf } from "./column_kind.ts";
import { linesOf } from "./lines_of.ts";

type Row = Readonly<Record<string, unknown>>;

/** A whole number that may be too large for a float64. */
const LONG_NUMBER = /\d{16}/;

/**
 * Reads a file of JSON objects, a line each. A line that is no such object is a fault, and so is a prompt of another
 * kind than the column of the prompts; empty lines are left out.
 *
 * @param kinds The columns, as {@linkcode surveyJsonl} found them.
 */
export async function* readJsonl(
  path: string,
  kinds: ReadonlyMap<string, ColumnKind | undefined>,
): AsyncGenerator<InputBatch> {
  let rows: (Row | undefined)[] = [];
  let faults = new Map<number, string>();
  const take = (): InputBatch => {
    const batch = batchOfRows(rows, kinds, faults);
    [rows, faults] = [[], new Map()];
    return batch;
  };
  for await (const row of rowsOf(path)) {
    const wrong = typeof row === "string" ? undefined : misfit(row, kinds);
    if (typeof row === "string") faults.set(rows.length, row);
    if (wrong) faults.set(rows.length, wrong.fault);
    rows.push(typeof row === "string" ? undefined : wrong ? { ...row, [wrong.name]: null } : row);
    if (rows.length === BATCH_ROWS) yield take();
  }
  if (rows.length > 0) yield take();
}

/**
 * Which columns such a file has, and what kinds of values they have.
 *
 * @param prompts The columns that may be the prompts: texts if any value is text, else token ids if any value is a list.
 */
export async function surveyJsonl(
  path: string,
  prompts: readonly string[],
): Promise<Map<string, ColumnKind | undefined>> {
  const kinds = new Map<string, ColumnKind | undefined>();
  for await (const row of rowsOf(path)) {
    if (typeof row === "string") continue;
    for (const [name, value] of Object.entries(row)) {
      merge(kinds, { name, kind: kindOf(value) }, prompts);
    }
  }
  return kinds;
}

/** The columns of several such files together; `prompts` as for {@linkcode surveyJsonl}. */
export function mergedKinds(
  all: readonly ReadonlyMap<string, ColumnKind | undefined>[],
  prompts: readonly string[],
): Map<string, ColumnKind | undefined> {
  const kinds = new Map<string, ColumnKind | undefined>();
  for (const some of all) for (const [name, kind] of some) merge(kinds, { name, kind }, prompts);
  return kinds;
}

function merge(
  kinds: Map<string, ColumnKind | undefined>,
  { name, kind }: { readonly name: string; readonly kind: ColumnKind | undefined },
  prompts: readonly string[],
): void {
  const common = prompts.includes(name) ? promptKind : commonKind;
  kinds.set(name, common(kinds.get(name), kind));
}

function promptKind(
  a: ColumnKind | undefined,
  b: ColumnKind | undefined,
): ColumnKind | undefined {
  if (a === "utf8" || b === "utf8") return "utf8";
  return isIds(a) || isIds(b) ? { list: "int64" } : commonKind(a, b);
}

/** The prompt of a row, if it is of another kind than its column, and the error's text. Other columns have room for any value. */
function misfit(
  row: Row,
  kinds: ReadonlyMap<string, ColumnKind | undefined>,
): { readonly name: string; readonly fault: string } | undefined {
  for (const [name, kind] of kinds) {
    const value = row[name] ?? null;
    if (value === null) continue;
    if (kind === "utf8" && typeof value !== "string") {
      return { name, fault: `The value of ${name} is no text: write it in quotes` };
    }
    if (typeof kind === "object" && isIds(kind) && !isIds(kindOf(value))) {
      return { name, fault: `The value of ${name} is no list of whole numbers (token ids)` };
    }
  }
  return undefined;
}

/** The objects of a file; for a line that is no object, the reason. */
async function* rowsOf(path: string): AsyncGenerator<Row | string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for await (const line of linesOf(path)) {
    if (line.length === 0) continue;
    let value: unknown;
    try {
      value = parse(decoder.decode(line));
    } catch (error) {
      yield `The line is not JSON: ${(error as Error).message}`;
      continue;
    }
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    yield isObject ? value as Row : "The line is not an object in JSON";
  }
}

/** Parses JSON; whole numbers that a float64 has no room for become bigints. */
function parse(text: string): unknown {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text);
  const exact = (_: string, value: unknown, context?: { source?: string }): unknown => {
    const isRounded = typeof value === "number" && !Number.isSafeInteger(value);
    return isRounded && /^-?\d+$/.test(context?.source ?? "") ? BigInt(context!.source!) : value;
  };
  return JSON.parse(text, exact);
}
