import { createHash } from "node:crypto";
import { statIfThere } from "../../files.ts";
import type { HubClient } from "./client.ts";
import { digestFile, isIntact } from "./digest.ts";
import { checkSpace, type FreeSpace } from "./disk.ts";
import { downloadFile, incomplete } from "./download_file.ts";
import { HubError } from "./error.ts";
import type { Pin } from "./family.ts";
import { withLock } from "./lock.ts";
import type { Place } from "./place.ts";
import { checkFileName } from "./repository.ts";
import type { RemoteFile, Revision } from "./revision.ts";
import type { VerifiedFiles } from "./verified.ts";

/** What is known of files beforehand, by their names. */
export type Pins = Readonly<Record<string, Pin>>;

/** What fetching files takes beside the files. */
export interface FetchOptions {
  readonly revision: Revision;
  readonly place: Place;
  /** What is known of files beforehand; the bytes must agree with it. */
  readonly pins?: Pins | undefined;
  readonly verified: VerifiedFiles;
  /** Told how many bytes of how many are there. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
  /** Told what to show to waiting users. */
  readonly say?: ((line: string) => void) | undefined;
  readonly free?: FreeSpace | undefined;
}

/** Fetches files one after the other, if there is room for them; a bar counts those of all calls together. */
export function fetcher(
  client: HubClient,
  options: FetchOptions,
): (files: readonly RemoteFile[]) => Promise<void> {
  let [done, total] = [0, 0];
  const onProgress = (bytes: number): void => options.onProgress?.(done += bytes, total);
  return async (files) => {
    for (const { name } of files) checkFileName(name);
    total += files.reduce((sum, { size }) => sum + size, 0);
    const needed = await Promise.all(files.map((file) => missingBytes(options.place, file)));
    await checkSpace(options.place.directory, needed.reduce((a, b) => a + b, 0), options.free);
    for (const file of files) await fetchOne(client, file, { ...options, onProgress });
  };
}

async function missingBytes(place: Place, file: RemoteFile): Promise<number> {
  const path = place.content(file);
  const there = await statIfThere(path) ?? await statIfThere(incomplete(path));
  return Math.max(0, file.size - (there?.size ?? 0));
}

async function fetchOne(
  client: HubClient,
  file: RemoteFile,
  { revision: { repository, commit }, place, pins = {}, verified, say, onProgress }:
    & Omit<FetchOptions, "onProgress">
    & { readonly onProgress: (bytes: number) => void },
): Promise<void> {
  const path = place.content(file);
  const fetchLocked = async (): Promise<void> => {
    if (!await isThere(path, { file, verified, onProgress })) {
      await downloadFile(client, { repository, commit, file, path, onProgress });
    }
    await checkPinned(path, file, pins[file.name]);
    await verified.note(new Map([[await Deno.realPath(path), file.hash]]));
    await place.name(file);
  };
  await withLock(
    place.lock(file),
    fetchLocked,
    () => say?.(`${file.name} is being downloaded by another process: waiting for it`),
  );
}

/** Whether a file is there and right; a wrong one is fetched again. */
async function isThere(
  path: string,
  { file, verified, onProgress }: {
    readonly file: RemoteFile;
    readonly verified: VerifiedFiles;
    readonly onProgress: (bytes: number) => void;
  },
): Promise<boolean> {
  if ((await statIfThere(path))?.size !== file.size) return false;
  if (await verified.has(await Deno.realPath(path), file.hash)) {
    onProgress(file.size);
    return true;
  }
  let read = 0;
  const isRight = await isIntact(path, file, (bytes) => {
    read += bytes;
    onProgress(bytes);
  });
  if (!isRight) onProgress(-read);
  return isRight;
}

/** Checks a file against a pinned sha256, where the hub states git's hash instead. */
async function checkPinned(
  path: string,
  { name, size, hash }: RemoteFile,
  pin?: Pin,
): Promise<void> {
  if (pin?.sha256 === undefined || hash.length === 64) return;
  const digest = createHash("sha256");
  await digestFile(path, { digest, end: size });
  if (digest.digest("hex") !== pin.sha256) throw untrue(name);
}

/** The error of a hub that has other bytes than what is pinned. */
export function untrue(name: string): HubError {
  return new HubError(
    `Cannot take ${name} as the hub has other bytes than weights/manifest.json pins for it: do not trust this hub`,
  );
}
