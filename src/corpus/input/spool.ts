import { dirname } from "node:path";
import { writeFile } from "../output/write_file.ts";

/**
 * Copies standard input to a file, because it is read more than once and a resumed run compares it.
 *
 * @throws {InfoflowError} DISK_FULL.
 */
export async function spool(input: ReadableStream<Uint8Array>, path: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await writeFile(path, input);
}
