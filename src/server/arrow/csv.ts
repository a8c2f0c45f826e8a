import { tableFromIPC } from "apache-arrow";
import { InfoflowError } from "../../errors.ts";

/** The most rows of a spreadsheet, the header included. */
const MOST_ROWS = 2 ** 20;

/** What spreadsheets would read as a number, a date, a truth value or a formula. */
const NO_TEXT =
  /^\s*([=+\-@\d.,(%$€£¥'\t\r]|true$|false$|(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*[ -]\d)/i;

const BYTE_ORDER_MARK = "\ufeff";

/**
 * Writes an Arrow stream of plain columns as CSV (RFC 4180) that spreadsheets open as it is meant: UTF-8 with a byte order
 * mark. A text that they would not leave a text has an apostrophe in front. Where a column `target` or `source` counts
 * positions of tokens that the metadata have, a column with their texts follows it.
 *
 * @throws {InfoflowError} MATRIX_TOO_LARGE if there are more rows than spreadsheets take.
 */
export function csvOf(stream: Uint8Array): Uint8Array<ArrayBuffer> {
  const table = tableFromIPC(stream);
  if (table.numRows >= MOST_ROWS) {
    throw new InfoflowError(
      "MATRIX_TOO_LARGE",
      `Cannot write CSV of ${table.numRows.toLocaleString("en")} rows as spreadsheets take ${
        (MOST_ROWS - 1).toLocaleString("en")
      }: ask for Arrow, or for fewer targets, layers or heads`,
      { rows: table.numRows, limit: MOST_ROWS - 1 },
    );
  }
  const { tokens } = JSON.parse(table.schema.metadata.get("infoflow") ?? "{}") as {
    tokens?: readonly string[];
  };
  const columns = table.schema.fields.flatMap(({ name }) => {
    const values = Array.from(table.getChild(name)!, written);
    if (!tokens || !["target", "source", "position"].includes(name)) return [{ name, values }];
    const texts = values.map((position) => written(tokens[Number(position)] ?? null));
    return [{ name, values }, { name: `${name}_token`, values: texts }];
  });
  const lines = [columns.map(({ name }) => name).join(",")];
  for (let row = 0; row < table.numRows; row++) {
    lines.push(columns.map(({ values }) => values[row]!).join(","));
  }
  return new TextEncoder().encode(`${BYTE_ORDER_MARK}${lines.join("\r\n")}\r\n`);
}

function written(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const text = NO_TEXT.test(value) ? `'${value}` : value;
  return `"${text.replaceAll('"', '""')}"`;
}
