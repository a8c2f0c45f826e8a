import { join } from "node:path";
import { parseArchitecture } from "../../requests/architecture/families.ts";
import { parseShardIndex, shardsOf } from "../shard_index.ts";
import { HubClient, type Wait } from "./client.ts";
import type { FreeSpace } from "./disk.ts";
import type { HubEnvironment } from "./environment.ts";
import { HubError } from "./error.ts";
import { fetcher, type Pins, untrue } from "./fetch_files.ts";
import type { FamilyMember, Named } from "./family.ts";
import { findInCache } from "./find.ts";
import { CachePlace, DirectoryPlace } from "./place.ts";
import { CONFIG, WEIGHTS_INDEX } from "../model_files.ts";
import { firstFiles, weightFiles } from "./plan.ts";
import { COMMIT, MAIN } from "./repository.ts";
import { fetchRevision, type Revision } from "./revision.ts";
import { checkSnapshot } from "./snapshot.ts";
import type { VerifiedFiles } from "./verified.ts";

/** Options of a download. */
export interface DownloadOptions {
  readonly model: Named;
  /** A branch, tag or commit; by default the one that is pinned for its name, else `main`. */
  readonly revision?: string | undefined;
  /** A directory for the files themselves, instead of the cache. */
  readonly directory?: string | undefined;
  readonly environment: HubEnvironment;
  readonly verified: VerifiedFiles;
  /** Told how many bytes of how many are there. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Told what to show to waiting users. */
  readonly say?: ((line: string) => void) | undefined;
  readonly wait?: Wait | undefined;
  readonly free?: FreeSpace | undefined;
}

/** A model whose files are all there, each checked against its hash. */
export interface Downloaded {
  readonly directory: string;
  readonly commit: string;
  /** Whether all files were in the cache, so that no request was made. */
  readonly wasThere: boolean;
}

/**
 * Makes sure that a model is on this disk: `config.json`, weights, and the tokenizer's files, nothing else of what its
 * repository has. What can't be run is refused before its weights are fetched.
 *
 * @throws {HubError} If it can't be had; what has come is kept for the next attempt.
 * @throws {RangeError} If it is not a model that Infoflow runs.
 */
export async function downloadModel(options: DownloadOptions): Promise<Downloaded> {
  const { environment, model, directory } = options;
  const known = await alreadyThere(options);
  if (known) return known;
  if (environment.isOffline) {
    throw new HubError(
      `Cannot download ${model.name} as HF_HUB_OFFLINE is set, and it is not in ${environment.cache}`,
    );
  }
  const client = new HubClient(environment, options);
  const { revision, ref } = await chooseRevision(client, options);
  const pins = pinsOf(options, revision);
  const place = directory === undefined
    ? new CachePlace(environment.cache, revision)
    : new DirectoryPlace(directory);
  const fetchAll = fetcher(client, { ...options, revision, place, pins });

  const first = firstFiles(revision);
  await fetchAll(first);
  const read = (name: string): Promise<string> => Deno.readTextFile(join(place.directory, name));
  parseArchitecture(await read(CONFIG));
  const isSharded = first.some(({ name }) => name === WEIGHTS_INDEX);
  const shards = isSharded ? shardsOf(parseShardIndex(await read(WEIGHTS_INDEX))) : [];
  await fetchAll(weightFiles(revision, shards));
  // Last of all, so that a branch never leads to files that aren't there.
  await place.finish(ref);
  return { directory: place.directory, commit: revision.commit, wasThere: false };
}

/** A model in the cache at a commit that is certain, if its files are right. */
async function alreadyThere(options: DownloadOptions): Promise<Downloaded | undefined> {
  const { model, environment, verified, directory } = options;
  const revision = options.revision ?? model.member?.revision;
  const isCertain = environment.isOffline || revision !== undefined && COMMIT.test(revision);
  if (directory !== undefined || !isCertain) return undefined;
  const found = await findInCache(environment.cache, model, revision);
  if (!found) return undefined;
  const total = found.snapshot.files.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const { damaged } = await checkSnapshot(found.snapshot, {
    verified,
    onProgress: (bytes) => options.onProgress?.(done += bytes, total),
  });
  if (damaged.length > 0) return undefined;
  return { directory: found.directory, commit: found.commit, wasThere: true };
}

/**
 * Pinned files are fetched at their commit; the hub is still asked about `main`, to record it if it is that commit.
 *
 * @returns The branch or tag that is at the commit, where it is known.
 */
async function chooseRevision(
  client: HubClient,
  { model: { name, repository, member }, revision }: DownloadOptions,
): Promise<{ revision: Revision; ref: string | undefined }> {
  const ref = revision ?? MAIN;
  const asked = await fetchRevision(client, repository, ref);
  if (revision !== undefined || !member || asked.commit === member.revision) {
    return { revision: asked, ref };
  }
  return { revision: await fetchPinned(client, name, member), ref: undefined };
}

async function fetchPinned(
  client: HubClient,
  name: string,
  { repository, revision }: FamilyMember,
): Promise<Revision> {
  try {
    return await fetchRevision(client, repository, revision);
  } catch (cause) {
    if (!(cause instanceof HubError) || cause.status !== 404) throw cause;
    throw new HubError(
      `Cannot download ${name} as the hub does not have commit ${revision}, which weights/manifest.json pins: ` +
        `take what it has with --revision ${MAIN}`,
      404,
      { cause },
    );
  }
}

/** The pins for a commit, which the hub's statements must agree with. */
function pinsOf({ model: { member } }: DownloadOptions, { files, commit }: Revision): Pins {
  if (member?.revision !== commit) return {};
  for (const [name, pin] of Object.entries(member.files)) {
    const file = files.get(name);
    const sha256 = file?.hash.length === 64 ? file.hash : pin.sha256;
    const isRight = file && (pin.size ?? file.size) === file.size &&
      (pin.sha256 ?? sha256) === sha256;
    if (!isRight) throw untrue(name);
  }
  return member.files;
}
