import { JsonNotes } from "./json_notes.ts";

/** Files' states when they were hashed. */
interface Note {
  readonly state: string;
  readonly fingerprint: string;
}

/** Files that changed within this many ms may change again and keep the same modification time. */
const SETTLED_MS = 2000;

/**
 * Remembers the fingerprints of models, so that not every start hashes gigabytes. Files count as the same while their
 * size, inode, time of writing and time of change are, which is what `make` and git go by.
 */
export class KnownFingerprints {
  readonly #notes: JsonNotes<Note>;

  /** @param file A JSON file; without one nothing is remembered. */
  constructor(file: string | undefined) {
    this.#notes = new JsonNotes(file);
  }

  /** The fingerprint of a model, if it is known of its files as they are. */
  async find(model: Model): Promise<string | undefined> {
    const note = (await this.#notes.read())[model.paths.join()];
    return note && note.state === (await stateOf(model)).text ? note.fingerprint : undefined;
  }

  /** Notes a fingerprint, unless a file was written to a moment ago. */
  async keep(model: Model, fingerprint: string): Promise<void> {
    if (!this.#notes.isKept) return;
    const { text: state, newest } = await stateOf(model);
    if (Date.now() - newest < SETTLED_MS) return;
    const notes = await this.#notes.read();
    await this.#notes.write({ ...notes, [model.paths.join()]: { state, fingerprint } });
  }
}

/** What a fingerprint is of. */
export interface Model {
  /** The files of its weights. */
  readonly paths: readonly string[];
  /** What else it is a hash of. */
  readonly architecture: unknown;
}

async function stateOf(
  { paths, architecture }: Model,
): Promise<{ readonly text: string; readonly newest: number }> {
  const infos = await Promise.all(paths.map((path) => Deno.stat(path)));
  const times = infos.map(({ mtime, ctime }) => [mtime, ctime].map((it) => it?.getTime() ?? 0));
  const files = infos.map(({ dev, ino, size }, index) => [dev, ino, size, ...times[index]!]);
  return { text: JSON.stringify([files, architecture]), newest: Math.max(...times.flat()) };
}
