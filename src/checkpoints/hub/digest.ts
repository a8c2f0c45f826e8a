import { createHash, type Hash } from "node:crypto";

/** The size and hash that a file must have. */
export interface Expected {
  /** Bytes. */
  readonly size: number;
  /** sha256 in hex for files that the hub keeps outside git, git's blob hash for those in it. */
  readonly hash: string;
}

/** Starts a hash of the kind that is expected: sha256, or git's hash of a blob, which begins with the size. */
export function startDigest({ size, hash }: Expected): Hash {
  if (hash.length === 64) return createHash("sha256");
  return createHash("sha1").update(`blob ${size}\0`);
}

/** Whether a text is a sha256 or git's sha1, in hex. */
export function isHash(text: string): boolean {
  return /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** How much of a file is read at once. */
const CHUNK = 2 ** 20;

/** Feeds a file's first bytes to a hash. */
export async function digestFile(
  path: string,
  { digest, end, onProgress = () => {} }: {
    readonly digest: Hash;
    /** How many bytes; all of them if there are fewer. */
    readonly end: number;
    /** Told how many bytes more are done. */
    readonly onProgress?: ((bytes: number) => void) | undefined;
  },
): Promise<number> {
  using file = await Deno.open(path, { read: true });
  const buffers = [new Uint8Array(CHUNK), new Uint8Array(CHUNK)] as const;
  let done = 0;
  let reading = file.read(buffers[0]);
  for (let turn = 1; done < end; turn++) {
    const count = await reading;
    if (count === null) break;
    const chunk = buffers[(turn - 1) % 2]!.subarray(0, Math.min(count, end - done));
    done += chunk.length;
    // The next chunk is read while this one is hashed.
    if (done < end) reading = file.read(buffers[turn % 2]!);
    digest.update(chunk);
    onProgress(chunk.length);
  }
  return done;
}

/** Whether a file is what it must be. */
export async function isIntact(
  path: string,
  expected: Expected,
  onProgress?: (bytes: number) => void,
): Promise<boolean> {
  if ((await Deno.stat(path)).size !== expected.size) return false;
  const digest = startDigest(expected);
  await digestFile(path, { digest, end: expected.size, onProgress });
  return digest.digest("hex") === expected.hash;
}
