/** Whether an error says that there is no such file or directory. */
export function isAbsence(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
}

/** The text of a file; undefined if it isn't there. */
export async function readIfThere(path: string): Promise<string | undefined> {
  return await ifThere(() => Deno.readTextFile(path));
}

/** What there is at a path, links followed; undefined if it is nothing. */
export async function statIfThere(path: string): Promise<Deno.FileInfo | undefined> {
  return await ifThere(() => Deno.stat(path));
}

/** Removes a file or an empty directory, if it is there. */
export async function removeIfThere(path: string, options?: Deno.RemoveOptions): Promise<void> {
  await ifThere(() => Deno.remove(path, options));
}

async function ifThere<T>(use: () => Promise<T>): Promise<T | undefined> {
  try {
    return await use();
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}
