import { join } from "node:path";
import { CachedRepository } from "./cache.ts";
import { COMMIT } from "./repository.ts";
import type { RemoteFile, Revision } from "./revision.ts";

/** Where the files of a model go. */
export interface Place {
  readonly directory: string;
  /** Where a file's content is put. */
  content(file: RemoteFile): string;
  /** The file that is locked while the content is fetched. */
  lock(file: RemoteFile): string;
  /** Gives content that is there its name in the directory. */
  name(file: RemoteFile): Promise<void>;
  /** Notes that everything is there, for the branch or tag that was asked for. */
  finish(revision: string | undefined): Promise<void>;
}

/** The cache: content by its hash, names as links to it. */
export class CachePlace implements Place {
  readonly directory: string;
  readonly #cached: CachedRepository;
  readonly #commit: string;

  constructor(cache: string, { repository, commit }: Revision) {
    this.#cached = new CachedRepository(cache, repository);
    this.#commit = commit;
    this.directory = this.#cached.snapshot(commit);
  }

  content({ hash }: RemoteFile): string {
    return this.#cached.blob(hash);
  }

  lock({ hash }: RemoteFile): string {
    return this.#cached.lock(hash);
  }

  name({ name, hash }: RemoteFile): Promise<void> {
    return this.#cached.link({ commit: this.#commit, name, hash });
  }

  async finish(revision: string | undefined): Promise<void> {
    if (revision === undefined || COMMIT.test(revision)) return;
    await this.#cached.writeRef(revision, this.#commit);
  }
}

/** A directory of the user's, for the files themselves. */
export class DirectoryPlace implements Place {
  readonly directory: string;
  readonly #locks: string;

  constructor(directory: string) {
    this.directory = directory;
    this.#locks = join(directory, ".locks");
  }

  content({ name }: RemoteFile): string {
    return join(this.directory, name);
  }

  lock({ name }: RemoteFile): string {
    return join(this.#locks, `${name}.lock`);
  }

  async name(): Promise<void> {}

  async finish(): Promise<void> {
    await Deno.remove(this.#locks, { recursive: true }).catch(() => {});
  }
}
