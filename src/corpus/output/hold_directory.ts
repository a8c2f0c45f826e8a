import { join } from "node:path";
import { InfoflowError } from "../../errors.ts";
import { removeIfThere } from "../../files.ts";

/**
 * Holds a lock in a directory as long as a run is at work there. The system gives it back when a process dies.
 *
 * @param name Of the lock's file.
 * @throws {InfoflowError} BAD_USER_INPUT if another process has it.
 */
export async function holdDirectory(directory: string, name: string): Promise<AsyncDisposable> {
  const path = join(directory, name);
  const file = await Deno.open(path, { read: true, write: true, create: true });
  if (!await file.tryLock(true)) {
    file.close();
    throw new InfoflowError(
      "BAD_USER_INPUT",
      `Cannot work in ${directory} as another process is at work there: wait for it, or end it`,
    );
  }
  return {
    [Symbol.asyncDispose]: async () => {
      await removeIfThere(path);
      file.close();
    },
  };
}
