import { join } from "node:path";
import { cachedModels, CachedRepository } from "./cache.ts";
import { FAMILY } from "./family.ts";
import { CONFIG } from "../model_files.ts";
import { readSnapshot, type Snapshot } from "./snapshot.ts";
import type { VerifiedFiles } from "./verified.ts";

/** A GPT-2 in the cache, at a commit. */
export interface Listed {
  /** Its short name, or else its repository. */
  readonly name: string;
  readonly repository: string;
  readonly commit: string;
  /** The branches and tags that were at the commit when they were last asked about. */
  readonly refs: readonly string[];
  readonly directory: string;
  readonly snapshot: Snapshot;
  /** Bytes. */
  readonly size: number;
  readonly state: "verified" | "not verified" | "incomplete";
}

/** Lists the GPT-2s in a cache, which mostly has other models too. */
export async function listModels(cache: string, verified: VerifiedFiles): Promise<Listed[]> {
  const listed: Listed[] = [];
  for (const repository of await cachedModels(cache)) {
    const cached = new CachedRepository(cache, repository);
    const refs = await cached.refs();
    for (const commit of await cached.commits()) {
      const directory = cached.snapshot(commit);
      if (!await isGpt2(directory)) continue;
      const snapshot = await readSnapshot(directory);
      listed.push({
        name: shortName(repository),
        repository,
        commit,
        refs: [...refs].filter(([, at]) => at === commit).map(([ref]) => ref),
        directory,
        snapshot,
        size: snapshot.files.reduce((sum, { size }) => sum + size, 0),
        state: await stateOf(snapshot, verified),
      });
    }
  }
  return listed;
}

function shortName(repository: string): string {
  const found = Object.entries(FAMILY).find(([, member]) =>
    [member.repository, ...member.formerly].includes(repository)
  );
  return found?.[0] ?? repository;
}

async function isGpt2(directory: string): Promise<boolean> {
  try {
    const config = JSON.parse(await Deno.readTextFile(join(directory, CONFIG)));
    return config?.model_type === "gpt2";
  } catch {
    return false; // missing, or no config of a model's
  }
}

async function stateOf(
  { files, missing }: Snapshot,
  verified: VerifiedFiles,
): Promise<Listed["state"]> {
  if (missing.length > 0) return "incomplete";
  for (const { path, hash } of files) {
    if (hash === undefined || !await verified.has(path, hash)) return "not verified";
  }
  return "verified";
}
