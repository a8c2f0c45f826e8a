import { dirname } from "node:path";

const RETRY_MS = 100;

/**
 * Holds a file's lock while `use` runs, so that processes take turns. It is `flock`, which Python's filelock takes too,
 * and which the system gives back when a process dies.
 *
 * @param onWait Told once if another one has it.
 */
export async function withLock<T>(
  path: string,
  use: () => Promise<T>,
  onWait: () => void = () => {},
): Promise<T> {
  using _file = await acquire(path, onWait);
  return await use();
}

async function acquire(path: string, onWait: () => void): Promise<Deno.FsFile> {
  await Deno.mkdir(dirname(path), { recursive: true });
  for (let isFirst = true;; isFirst = false) {
    const file = await Deno.open(path, { read: true, write: true, create: true });
    // The last holder may have removed the file between our open and our lock: then that lock guards nothing.
    if (await file.tryLock(true) && (await file.stat()).nlink !== 0) return file;
    file.close();
    if (isFirst) onWait();
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}
