import { statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { statIfThere } from "../../files.ts";
import { HubError } from "./error.ts";
import { inBytes } from "../../sizes.ts";

/** Bytes that a disk has left for this user. */
export type FreeSpace = (directory: string) => Promise<number>;

/** Asks the system. Needs `--allow-sys=statfs`. */
async function freeSpace(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

/**
 * Makes sure that files fit on a disk before the first byte of them is fetched.
 *
 * @param directory Where they are to go; it need not be there yet.
 * @throws {HubError} If they don't.
 */
export async function checkSpace(
  directory: string,
  needed: number,
  free: FreeSpace = freeSpace,
): Promise<void> {
  const left = await free(await nearest(directory));
  if (needed <= left) return;
  throw new HubError(
    `Cannot download ${inBytes(needed)} as the disk of ${directory} has ${inBytes(left)} left: ` +
      "make room, or set HF_HOME to a directory on another disk",
  );
}

async function nearest(directory: string): Promise<string> {
  let path = directory;
  while (!await statIfThere(path) && path !== dirname(path)) path = dirname(path);
  return path;
}
