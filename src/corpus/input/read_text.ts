import { batchOfRows } from "./batch_of_rows.ts";
import { BATCH_ROWS, type InputBatch } from "../../server/batch/input_batch.ts";
import { linesOf } from "./lines_of.ts";

const KINDS = new Map([["prompt", "utf8"]] as const);

/** Reads a text file: each line is a prompt. A line that is no UTF-8 is a fault. */
export async function* readText(path: string): AsyncGenerator<InputBatch> {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let rows: { prompt: string | null }[] = [];
  let faults = new Map<number, string>();
  const take = (): InputBatch => {
    const batch = batchOfRows(rows, KINDS, faults);
    [rows, faults] = [[], new Map()];
    return batch;
  };
  for await (const line of linesOf(path)) {
    try {
      rows.push({ prompt: decoder.decode(line) });
    } catch {
      faults.set(rows.length, "The line is not UTF-8");
      rows.push({ prompt: null });
    }
    if (rows.length === BATCH_ROWS) yield take();
  }
  if (rows.length > 0) yield take();
}
