import { isAbsence } from "../files.ts";
import { inBytes } from "../sizes.ts";
import { CONFIG, WEIGHTS_INDEX } from "./model_files.ts";
import { memoryOf } from "./parsed_size.ts";

const MIB = 2 ** 20;
/** The largest files that are read, in bytes; a tokenizer of 200,000 tokens fits. */
const MOST_BYTES: Readonly<Record<string, number>> = { [CONFIG]: MIB, [WEIGHTS_INDEX]: 4 * MIB };
const MOST_BYTES_OF_TOKENIZERS = 24 * MIB;
/** Bytes that a file may take when it is parsed. */
const MOST_MEMORY = 72 * MIB;
/** How deep its values may be nested: their parsers are recursive. */
const MOST_DEPTH = 32;

/**
 * Reads a text file of an untrusted checkpoint, if it is there.
 *
 * @throws {RangeError} If it is not a regular file (reading a pipe could wait for ever), or would take more memory than
 *   any model's file does.
 */
export async function readModelFile(path: string): Promise<string | undefined> {
  const most = MOST_BYTES[path.slice(path.lastIndexOf("/") + 1)] ?? MOST_BYTES_OF_TOKENIZERS;
  const bytes = await readAtMost(path, most);
  if (bytes === undefined) return undefined;
  const { memory, depth } = memoryOf(bytes, { isJson: path.endsWith(".json"), most: MOST_MEMORY });
  if (depth > MOST_DEPTH) {
    throw cannot(path, `its values may be nested ${MOST_DEPTH} deep`, `${depth}`);
  }
  if (memory > MOST_MEMORY) {
    throw cannot(
      path,
      `its values may take ${inBytes(MOST_MEMORY)} of memory`,
      "more than that",
    );
  }
  return new TextDecoder().decode(bytes);
}

/** The bytes of a file, if it is there; of one that grows meanwhile no more than that, too. */
async function readAtMost(path: string, most: number): Promise<Uint8Array | undefined> {
  try {
    checkIsFile(path, await Deno.stat(path));
    using file = await Deno.open(path);
    const { size } = await file.stat();
    if (size > most) throw cannot(path, `it may have ${inBytes(most)}`, inBytes(size));
    const bytes = new Uint8Array(size);
    let at = 0;
    while (at < size) {
      const read = await file.read(bytes.subarray(at));
      if (read === null) break;
      at += read;
    }
    return bytes.subarray(0, at);
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

/**
 * Reads such a file, like {@linkcode readModelFile}, where it must be there.
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
