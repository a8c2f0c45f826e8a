import { batchOfRows, type ColumnKind, commonKind, kindOf } from "./column_kind.ts";
import { BATCH_ROWS, type InputBatch } from "../../server/batch/input_batch.ts";
import { linesOf } from "./lines_of.ts";

type Row = Readonly<Record<string, unknown>>;

/**
 * Reads a file of JSON objects, a line each. A line that is no such object is a fault; empty lines are left out.
 *
 * @param kinds The columns, as {@linkcode surveyJsonl} found them.
 */
export async function* readJsonl(
  path: string,
  kinds: ReadonlyMap<string, ColumnKind>,
): AsyncGenerator<InputBatch> {
  let rows: (Row | undefined)[] = [];
  let faults = new Map<number, string>();
  const take = (): InputBatch => {
    const batch = batchOfRows(rows, kinds, faults);
    [rows, faults] = [[], new Map()];
    return batch;
  };
  for await (const row of rowsOf(path)) {
    if (typeof row === "string") faults.set(rows.length, row);
    rows.push(typeof row === "string" ? undefined : row);
    if (rows.length === BATCH_ROWS) yield take();
  }
  if (rows.length > 0) yield take();
}

/** Which columns such a file has, and what kinds of values they have. */
export async function surveyJsonl(path: string): Promise<Map<string, ColumnKind>> {
  const kinds = new Map<string, ColumnKind | undefined>();
  for await (const row of rowsOf(path)) {
    if (typeof row === "string") continue;
    for (const [name, value] of Object.entries(row)) {
      kinds.set(name, commonKind(kinds.get(name), kindOf(value)));
    }
  }
  return new Map([...kinds].map(([name, kind]) => [name, kind ?? "utf8"]));
}

/** The objects of a file; of a line that is none, why. */
async function* rowsOf(path: string): AsyncGenerator<Row | string> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  for await (const line of linesOf(path)) {
    if (line.length === 0) continue;
    let value: unknown;
    try {
      value = JSON.parse(decoder.decode(line));
    } catch (error) {
      yield `The line is not JSON: ${(error as Error).message}`;
      continue;
    }
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    yield isObject ? value as Row : "The line is not an object in JSON";
  }
}
