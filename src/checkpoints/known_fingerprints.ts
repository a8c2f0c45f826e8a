import { dirname } from "node:path";

/** Files' states when they were hashed. */
interface Record {
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
  readonly #file: string | undefined;

  /** @param file A JSON file; without one nothing is remembered. */
  constructor(file: string | undefined) {
    this.#file = file;
  }

  /** The fingerprint of a model, if it is known of its files as they are. */
  async find(model: Model): Promise<string | undefined> {
    const record = (await this.#read())[model.paths.join()];
    return record && record.state === (await stateOf(model)).text ? record.fingerprint : undefined;
  }

  /** Notes a fingerprint, unless a file was written to a moment ago. */
  async keep(model: Model, fingerprint: string): Promise<void> {
    if (this.#file === undefined) return;
    const { text: state, newest } = await stateOf(model);
    if (Date.now() - newest < SETTLED_MS) return;
    const records = { ...await this.#read(), [model.paths.join()]: { state, fingerprint } };
    try {
      await Deno.mkdir(dirname(this.#file), { recursive: true });
      const next = `${this.#file}.${Deno.pid}.new`;
      await Deno.writeTextFile(next, JSON.stringify(records, null, 2) + "\n");
      await Deno.rename(next, this.#file);
    } catch { /* then they are hashed again next time */ }
  }

  async #read(): Promise<{ [paths: string]: Record }> {
    if (this.#file === undefined) return {};
    try {
      const value: unknown = JSON.parse(await Deno.readTextFile(this.#file));
      return typeof value === "object" && value !== null ? value as { [path: string]: Record } : {};
    } catch {
      return {}; // missing, or not ours
    }
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
