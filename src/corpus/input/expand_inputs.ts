import { globSync } from "node:fs";
import { statIfThere } from "../../files.ts";

/**
 * The files that a user means by some names and patterns such as `books/*.txt`: patterns in the order that they were
 * given, what one stands for by name.
 *
 * @throws {RangeError} If there is none by a name, or it is no file.
 */
export async function expandInputs(inputs: readonly string[]): Promise<string[]> {
  const files: string[] = [];
  for (const input of inputs) {
    const isThere = (await statIfThere(input)) !== undefined;
    const found = isThere ? [input] : globSync(input).sort();
    if (found.length === 0) {
      throw new RangeError(`Cannot read ${input} as there is no such file`);
    }
    for (const path of found) {
      if (!(await Deno.stat(path)).isFile) {
        throw new RangeError(
          `Cannot read ${path} as it is no file: name its files, as in ${
            path.replace(/\/$/, "")
          }/*.parquet`,
        );
      }
    }
    files.push(...found);
  }
  return files;
}
