import { parse } from "csv-parse";
import { pipeline, Readable } from "node:stream";
import { batchOfRows } from "./batch_of_rows.ts";
import type { ColumnKind } from "./column_kind.ts";
import { BATCH_ROWS, type InputBatch, NO_FAULTS } from "../../server/batch/input_batch.ts";
import { bytesOf } from "./bytes_of.ts";

/**
 * Reads a CSV file whose first line names its columns; all values are text. `.tsv` is separated by tabs.
 *
 * @throws {Error} If a row has more or fewer values than there are columns, or quotes that don't end; it names the line.
 */
export async function* readCsv(path: string): AsyncGenerator<InputBatch> {
  let names: string[] = [];
  const parser = parse({
    bom: true,
    delimiter: /\.tsv(\.|$)/.test(path) ? "\t" : ",",
    columns: (header: string[]) => names = header,
    skip_empty_lines: true,
  });
  pipeline(Readable.from(bytesOf(path)), parser, () => {}); // its errors come out of the loop
  let rows: Record<string, string>[] = [];
  const take = (): InputBatch => {
    const kinds = new Map<string, ColumnKind>(names.map((name) => [name, "utf8"]));
    const batch = batchOfRows(rows, kinds, NO_FAULTS);
    rows = [];
    return batch;
  };
  for await (const row of parser) {
    rows.push(row as Record<string, string>);
    if (rows.length === BATCH_ROWS) yield take();
  }
  if (rows.length > 0) yield take();
}
