import { dirname, join, relative } from "node:path";
import { isAbsence, readIfThere, removeIfThere } from "../../files.ts";
import { checkFileName, checkRevision, COMMIT } from "./repository.ts";

/**
 * A model's place in the cache that Python's huggingface_hub keeps too. A blob is a file's content by the name of its
 * hash; a snapshot has, by commit, the files' names as links to blobs; a ref says at which commit a branch was.
 */
export class CachedRepository {
  /** `models--OWNER--NAME` */
  readonly directory: string;
  readonly #locks: string;

  constructor(cache: string, repository: string) {
    const folder = `models--${repository.replaceAll("/", "--")}`;
    this.directory = join(cache, folder);
    this.#locks = join(cache, ".locks", folder);
  }

  /** The path of the content with a hash. */
  blob(hash: string): string {
    return join(this.directory, "blobs", hash);
  }

  /** The file that a process locks while it writes the blob of a hash. */
  lock(hash: string): string {
    return join(this.#locks, `${hash}.lock`);
  }

  /** The directory with the files of a commit. */
  snapshot(commit: string): string {
    return join(this.directory, "snapshots", commit);
  }

  /** The commits that have a snapshot. */
  async commits(): Promise<string[]> {
    const names = await entriesOf(join(this.directory, "snapshots"));
    return names.filter((name) => COMMIT.test(name));
  }

  /** The branches and tags by name, and the commits that they were at. */
  async refs(): Promise<Map<string, string>> {
    const refs = new Map<string, string>();
    const collect = async (prefix: string): Promise<void> => {
      const directory = join(this.directory, "refs", prefix);
      for (const name of await entriesOf(directory)) {
        const ref = prefix ? `${prefix}/${name}` : name;
        if ((await Deno.stat(join(directory, name))).isDirectory) await collect(ref);
        else refs.set(ref, (await Deno.readTextFile(join(directory, name))).trim());
      }
    };
    await collect("");
    return refs;
  }

  /**
   * The commit that a revision was at when it was last asked about.
   *
   * @throws {HubError} If it is no name of a revision.
   */
  async commitOf(revision: string): Promise<string | undefined> {
    if (COMMIT.test(revision)) return revision;
    checkRevision(revision);
    try {
      const commit = (await readIfThere(join(this.directory, "refs", revision)))?.trim();
      return commit !== undefined && COMMIT.test(commit) ? commit : undefined;
    } catch (error) {
      if (error instanceof Deno.errors.IsADirectory) return undefined;
      throw error;
    }
  }

  /** Notes the commit that a branch or tag is at. */
  async writeRef(revision: string, commit: string): Promise<void> {
    checkRevision(revision);
    const path = join(this.directory, "refs", revision);
    await Deno.mkdir(dirname(path), { recursive: true });
    await Deno.writeTextFile(path, commit);
  }

  /** Gives a blob a file's name in a snapshot. */
  async link(
    { commit, name, hash }: { commit: string; name: string; hash: string },
  ): Promise<void> {
    checkFileName(name);
    const path = join(this.snapshot(commit), name);
    await Deno.mkdir(dirname(path), { recursive: true });
    const target = relative(dirname(path), this.blob(hash));
    try {
      await Deno.symlink(target, path);
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      if (await readLink(path) === target) return;
      await Deno.remove(path);
      await Deno.symlink(target, path);
    }
  }

  /** Bytes of all contents; undefined if the model is not there. */
  async size(): Promise<number | undefined> {
    const blobs = join(this.directory, "blobs");
    const names = await entriesOf(blobs);
    if (names.length === 0 && (await this.commits()).length === 0) return undefined;
    const sizes = await Promise.all(
      names.map(async (it) => (await Deno.stat(join(blobs, it))).size),
    );
    return sizes.reduce((a, b) => a + b, 0);
  }

  /** Deletes everything of the model. */
  async remove(): Promise<void> {
    for (const directory of [this.directory, this.#locks]) {
      await removeIfThere(directory, { recursive: true });
    }
  }
}

/** The names of the models in a cache. */
export async function cachedModels(cache: string): Promise<string[]> {
  const names = await entriesOf(cache);
  return names.filter((name) => name.startsWith("models--"))
    .map((name) => name.slice("models--".length).replaceAll("--", "/")).sort();
}

/** The content that a link in a snapshot leads to; undefined for a file that is no link. */
export async function readLink(path: string): Promise<string | undefined> {
  try {
    return await Deno.readLink(path);
  } catch {
    return undefined;
  }
}

async function entriesOf(directory: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name).sort();
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}
