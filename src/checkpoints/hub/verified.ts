import { JsonNotes } from "../json_notes.ts";

/** A file's state when its hash was checked. */
interface Note {
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
  readonly #notes: JsonNotes<Note>;

  /** @param file A JSON file; without one nothing is remembered. */
  constructor(file: string | undefined) {
    this.#notes = new JsonNotes(file);
  }

  /** Whether a file was checked and is as it was then. */
  async has(path: string, hash: string): Promise<boolean> {
    const note = (await this.#notes.read())[path];
    if (note?.hash !== hash) return false;
    const { size, mtime } = await stateOf(path);
    return note.size === size && note.mtime === mtime;
  }

  /** Notes files that have been checked, and those that failed: a hash of undefined. */
  async note(hashes: ReadonlyMap<string, string | undefined>): Promise<void> {
    if (!this.#notes.isKept || hashes.size === 0) return;
    const notes = await this.#notes.read();
    for (const [path, hash] of hashes) {
      delete notes[path];
      if (hash !== undefined) notes[path] = { hash, ...await stateOf(path) };
    }
    await this.#notes.write(notes);
  }
}

async function stateOf(path: string): Promise<{ size: number; mtime: number }> {
  const { size, mtime } = await Deno.stat(path);
  return { size, mtime: mtime?.getTime() ?? 0 };
}
