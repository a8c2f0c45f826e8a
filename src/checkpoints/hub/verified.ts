import { dirname } from "node:path";

/** A file's state when its hash was checked. */
interface Record {
  readonly hash: string;
  readonly size: number;
  /** When it was last written, in ms. */
  readonly mtime: number;
}

/**
 * Remembers which files have been checked against their hashes, so that not every start reads gigabytes. A file that has
 * been written to since counts as unchecked.
 */
export class VerifiedFiles {
  readonly #file: string | undefined;

  /** @param file A JSON file; without one nothing is remembered. */
  constructor(file: string | undefined) {
    this.#file = file;
  }

  /** Whether a file was checked and is as it was then. */
  async has(path: string, hash: string): Promise<boolean> {
    const record = (await this.#read())[path];
    if (record?.hash !== hash) return false;
    const { size, mtime } = await stateOf(path);
    return record.size === size && record.mtime === mtime;
  }

  /** Notes files that have been checked, and those that failed: a hash of undefined. */
  async note(hashes: ReadonlyMap<string, string | undefined>): Promise<void> {
    if (this.#file === undefined || hashes.size === 0) return;
    const records = await this.#read();
    for (const [path, hash] of hashes) {
      delete records[path];
      if (hash !== undefined) records[path] = { hash, ...await stateOf(path) };
    }
    try {
      await Deno.mkdir(dirname(this.#file), { recursive: true });
      const next = `${this.#file}.${Deno.pid}.new`;
      await Deno.writeTextFile(next, JSON.stringify(records, null, 2) + "\n");
      await Deno.rename(next, this.#file);
    } catch { /* then they are checked again next time */ }
  }

  async #read(): Promise<{ [path: string]: Record }> {
    if (this.#file === undefined) return {};
    try {
      const value: unknown = JSON.parse(await Deno.readTextFile(this.#file));
      return typeof value === "object" && value !== null ? value as { [path: string]: Record } : {};
    } catch {
      return {}; // missing, or not ours
    }
  }
}

async function stateOf(path: string): Promise<{ size: number; mtime: number }> {
  const { size, mtime } = await Deno.stat(path);
  return { size, mtime: mtime?.getTime() ?? 0 };
}
