import { dirname } from "node:path";

/** Notes by name in a JSON file. They are for speed only: a file that can't be read or written is as good as an empty one. */
export class JsonNotes<Note> {
  readonly #file: string | undefined;

  /** @param file Without one nothing is remembered. */
  constructor(file: string | undefined) {
    this.#file = file;
  }

  /** Whether anything is remembered. */
  get isKept(): boolean {
    return this.#file !== undefined;
  }

  /** All notes. */
  async read(): Promise<Record<string, Note>> {
    if (this.#file === undefined) return {};
    try {
      const value: unknown = JSON.parse(await Deno.readTextFile(this.#file));
      return typeof value === "object" && value !== null ? value as Record<string, Note> : {};
    } catch {
      return {}; // missing, or not ours
    }
  }

  /** Replaces all notes. */
  async write(notes: Readonly<Record<string, Note>>): Promise<void> {
    if (this.#file === undefined) return;
    try {
      await Deno.mkdir(dirname(this.#file), { recursive: true });
      const next = `${this.#file}.${Deno.pid}.new`;
      await Deno.writeTextFile(next, JSON.stringify(notes, null, 2) + "\n");
      await Deno.rename(next, this.#file);
    } catch { /* then the next start finds it out again */ }
  }
}
