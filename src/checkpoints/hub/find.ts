import { CachedRepository } from "./cache.ts";
import type { Named } from "./family.ts";
import { MAIN } from "./repository.ts";
import { readSnapshot, type Snapshot } from "./snapshot.ts";

/** A model of the hub that is on this disk. */
export interface CachedModel {
  readonly directory: string;
  readonly repository: string;
  readonly commit: string;
  readonly snapshot: Snapshot;
}

/**
 * Finds a model in the cache, without asking the hub.
 *
 * @param revision Which one; by default the one that is pinned for its name, else that of `main` when it was last asked
 * about, else any that is complete.
 * @returns The first that is complete.
 */
export async function findInCache(
  cache: string,
  { repositories, member }: Named,
  revision?: string,
): Promise<CachedModel | undefined> {
  for (const repository of repositories) {
    const cached = new CachedRepository(cache, repository);
    const commits = revision !== undefined
      ? [await cached.commitOf(revision)]
      : [member?.revision, await cached.commitOf(MAIN), ...await cached.commits()];
    for (const commit of commits) {
      if (commit === undefined) continue;
      const directory = cached.snapshot(commit);
      const snapshot = await readSnapshot(directory);
      if (snapshot.missing.length === 0) return { directory, repository, commit, snapshot };
    }
  }
  return undefined;
}
