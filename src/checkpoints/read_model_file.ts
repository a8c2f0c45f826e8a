import { statIfThere } from "../files.ts";
import { inBytes } from "../sizes.ts";

/** No tokenizer and no index that a model has is larger. */
const MOST_BYTES = 32 * 2 ** 20;
/** Arrays, objects and strings in one: each takes some 50 bytes when it is parsed, and nested ones the parser's stack. */
const MOST_VALUES = 1_500_000;
const [BRACKET, BRACE, QUOTE] = [...'[{"'].map((character) => character.charCodeAt(0));

/**
 * Reads a text file of an untrusted checkpoint, if it is there.
 *
 * @throws {RangeError} If it is no file, such as a pipe, which would be waited for; or if it would take more memory than
 *   any model's.
 */
export async function readModelFile(path: string): Promise<string | undefined> {
  const info = await statIfThere(path);
  if (info === undefined) return undefined;
  checkIsFile(path, info);
  if (info.size > MOST_BYTES) {
    throw cannot(path, `it may have ${inBytes(MOST_BYTES)}`, inBytes(info.size));
  }
  const bytes = await Deno.readFile(path);
  let values = 0;
  for (const byte of bytes) {
    if (byte === BRACKET || byte === BRACE) values++;
    else if (byte === QUOTE) values += 0.5;
    if (values > MOST_VALUES) {
      const most = MOST_VALUES.toLocaleString("en");
      throw cannot(path, `it may have ${most} arrays, objects and strings`, "more than these");
    }
  }
  return new TextDecoder().decode(bytes);
}

/**
 * The same for a file that must be there.
 *
 * @throws {Deno.errors.NotFound} If it is not.
 */
export async function readPresentFile(path: string): Promise<string> {
  const text = await readModelFile(path);
  if (text === undefined) throw new Deno.errors.NotFound(`${path} is missing`);
  return text;
}

/** @throws {RangeError} If a path leads to something else than a file. */
export function checkIsFile(path: string, { isFile }: Deno.FileInfo): void {
  if (!isFile) throw cannot(path, "it must be a file", "a directory, a pipe or a device");
}

function cannot(path: string, rule: string, value: string): RangeError {
  return new RangeError(`Cannot read ${path} as ${rule}: current value is ${value}`);
}
