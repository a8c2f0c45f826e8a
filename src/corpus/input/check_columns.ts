import type { Schema } from "apache-arrow";
import { InfoflowError } from "../../errors.ts";
import { promptColumn } from "../../server/batch/prompt_column.ts";
import type { Corpus } from "./corpus.ts";
import type { InputFile } from "./survey.ts";

/**
 * Makes sure that each file of a corpus has the column of the prompts, before anything is computed.
 *
 * @param options The column's name, where it is not `prompt` or `ids`; whether the other columns must be the same in all
 *   files.
 * @returns The columns of the first file.
 * @throws {InfoflowError} BAD_USER_INPUT if one has not; it is named.
 */
export async function checkColumns(
  corpus: Corpus,
  { column, areCarried }: { readonly column: string | undefined; readonly areCarried: boolean },
): Promise<Schema> {
  let schema: Schema | undefined;
  let first = 0;
  for (const { path, rows, kinds } of corpus.files) {
    for await (const { batch } of corpus.read(first, first + Math.min(rows, 1))) {
      checkPrompts(path, { schema: batch.schema, kinds }, column);
      schema ??= batch.schema;
      if (areCarried && inWords(schema) !== inWords(batch.schema)) {
        throw bad(
          `Cannot put ${path} beside ${corpus.files[0]!.path} as their columns must be the same: ` +
            `(${inWords(batch.schema)}) and (${inWords(schema)})`,
        );
      }
    }
    first += rows;
  }
  if (!schema) throw bad("Cannot run over no rows: the input is empty");
  return schema;
}

function checkPrompts(
  path: string,
  { schema, kinds }: { readonly schema: Schema } & Pick<InputFile, "kinds">,
  column: string | undefined,
): void {
  try {
    const { name } = promptColumn(schema, column);
    if (kinds.get(name) === "json") {
      throw bad(
        `Cannot read prompts as column ${name} must have texts, or lists of whole numbers (token ids): ` +
          `its values are of another kind, or of several`,
      );
    }
  } catch (error) {
    if (!(error instanceof InfoflowError)) throw error;
    const hint = column === undefined ? "; --column NAME says which one is meant" : "";
    throw new InfoflowError(error.code, `${path}: ${error.message}${hint}`);
  }
}

function inWords({ fields }: Schema): string {
  return fields.map(({ name, type }) => `${name} ${type}`).join(", ");
}

function bad(message: string): InfoflowError {
  return new InfoflowError("BAD_USER_INPUT", message);
}
