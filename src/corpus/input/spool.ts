import { dirname } from "node:path";
import { writeFile } from "../output/write_file.ts";

/**
 * Keeps what comes by standard input in a file: it is read more than once, and a run that goes on compares it.
 *
 * @throws {InfoflowError} DISK_FULL.
 */
export async function spool(input: ReadableStream<Uint8Array>, path: string): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await writeFile(path, input);
}
