import { basename, join } from "node:path";
import { isAbsence, statIfThere } from "../../files.ts";
import { parseShardIndex, shardsOf } from "../shard_index.ts";
import { readLink } from "./cache.ts";
import { isHash, isIntact } from "./digest.ts";
import { HubError } from "./error.ts";
import { CONFIG, WEIGHTS, WEIGHTS_INDEX } from "../model_files.ts";
import type { VerifiedFiles } from "./verified.ts";

/** A file of a snapshot. */
export interface SnapshotFile {
  readonly name: string;
  /** Where its content is. */
  readonly path: string;
  readonly size: number;
  /** What its content must hash to; undefined for a file that is no link to a blob. */
  readonly hash: string | undefined;
}

/** The files that running a model takes, as far as they are there. */
export interface Snapshot {
  readonly files: readonly SnapshotFile[];
  /** Those that are not. */
  readonly missing: readonly string[];
}

/** Looks at the files of a directory: config, weights, and what else a snapshot has. */
export async function readSnapshot(directory: string): Promise<Snapshot> {
  const files = new Map<string, SnapshotFile>();
  const missing: string[] = [];
  const look = async (name: string): Promise<void> => {
    const file = await snapshotFile(directory, name);
    if (file) files.set(name, file);
  };
  for (const name of await namesIn(directory)) await look(name);
  const need = (name: string): void => {
    if (!files.has(name)) missing.push(name);
  };
  need(CONFIG);
  if (!files.has(WEIGHTS) && files.has(WEIGHTS_INDEX)) {
    for (const shard of await shardsIn(files.get(WEIGHTS_INDEX)!.path)) need(shard);
  } else need(WEIGHTS);
  return { files: [...files.values()], missing };
}

/** Looks at one file of a directory; undefined if it isn't there. */
export async function snapshotFile(
  directory: string,
  name: string,
): Promise<SnapshotFile | undefined> {
  const path = join(directory, name);
  const info = await statIfThere(path);
  if (!info) return undefined; // a link to nothing
  const blob = await readLink(path);
  const hash = blob === undefined ? undefined : basename(blob);
  const place = hash === undefined ? path : await Deno.realPath(path);
  const isKnown = hash !== undefined && isHash(hash);
  return { name, path: place, size: info.size, hash: isKnown ? hash : undefined };
}

/** The result of a check: files whose content is not what its hash says, and those that have none. */
export interface Checked {
  readonly damaged: readonly string[];
  readonly unknown: readonly string[];
}

/**
 * Checks the files of a snapshot against their hashes.
 *
 * @param verified Remembers what is right; what it remembers already is not read again, unless `again`.
 * @param onProgress Told how many bytes more are done.
 */
export async function checkSnapshot(
  { files }: Pick<Snapshot, "files">,
  { verified, again = false, onProgress = () => {} }: {
    readonly verified: VerifiedFiles;
    readonly again?: boolean;
    readonly onProgress?: (bytes: number) => void;
  },
): Promise<Checked> {
  const damaged: string[] = [];
  const unknown: string[] = [];
  const notes = new Map<string, string | undefined>();
  for (const { name, path, size, hash } of files) {
    if (hash === undefined) unknown.push(name);
    else if (!again && await verified.has(path, hash)) onProgress(size);
    else {
      const isRight = await isIntact(path, { size, hash }, onProgress);
      if (!isRight) damaged.push(name);
      notes.set(path, isRight ? hash : undefined);
    }
  }
  await verified.note(notes);
  return { damaged, unknown };
}

/**
 * Makes sure that a snapshot is whole before it is run.
 *
 * @throws {HubError} If a file is not what its hash says.
 */
export async function ensureIntact(
  name: string,
  directory: string,
  options: { readonly verified: VerifiedFiles; readonly onProgress?: (bytes: number) => void },
): Promise<void> {
  const { damaged } = await checkSnapshot(await readSnapshot(directory), options);
  if (damaged.length === 0) return;
  throw new HubError(
    `Cannot run ${name} as ${damaged.join(", ")} is not what its hash says: fetch it again with ` +
      `\`./run weights ${name}\``,
  );
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(directory));
    return entries.filter(({ isDirectory }) => !isDirectory).map(({ name }) => name).sort();
  } catch (error) {
    if (isAbsence(error)) return [];
    throw error;
  }
}

async function shardsIn(path: string): Promise<string[]> {
  try {
    return shardsOf(parseShardIndex(await Deno.readTextFile(path)));
  } catch {
    return [WEIGHTS_INDEX]; // of no use: as if it were missing
  }
}
