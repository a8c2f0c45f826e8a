import { dirname } from "node:path";
import { removeIfThere } from "../../files.ts";
import { diskError } from "./disk_error.ts";

/**
 * Writes a file atomically: under another name first, renamed when its bytes have reached the disk.
 *
 * @returns How many bytes it has.
 * @throws {InfoflowError} DISK_FULL, and nothing is left of it.
 */
export async function writeFile(
  path: string,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<number> {
  const partial = `${path}.partial`;
  let bytes = 0;
  try {
    using file = await Deno.open(partial, { write: true, create: true, truncate: true });
    for await (const piece of pieces) {
      for (let at = 0; at < piece.length;) at += await file.write(piece.subarray(at));
      bytes += piece.length;
    }
    await file.sync();
  } catch (error) {
    await removeIfThere(partial);
    throw diskError(error, path);
  }
  await Deno.rename(partial, path);
  await syncDirectory(dirname(path));
  return bytes;
}

/** Syncs a directory's new names to the disk, where the system can do that. */
async function syncDirectory(path: string): Promise<void> {
  try {
    using directory = await Deno.open(path);
    await directory.sync();
  } catch {
    // Windows opens no directories; names are written in their order there.
  }
}
