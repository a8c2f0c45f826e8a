import type { Hash } from "node:crypto";
import { dirname } from "node:path";
import { readIfThere, removeIfThere } from "../../files.ts";
import { type HubClient, type HubResponse, Interruption } from "./client.ts";
import { digestFile, isHash, startDigest } from "./digest.ts";
import { HubError } from "./error.ts";
import { checkFileName } from "./repository.ts";
import type { RemoteFile } from "./revision.ts";

/** A file to fetch, and where to. */
export interface FileJob {
  readonly repository: string;
  readonly commit: string;
  readonly file: RemoteFile;
  /** Where it is to be when it is whole. */
  readonly path: string;
  /** Told how many bytes more are there; fewer, if some had to be thrown away. */
  readonly onProgress: (bytes: number) => void;
}

/** Bytes that are fetched, written and hashed at once, at most. */
const BLOCK = 2 ** 20;

/**
 * Fetches a file. Bytes go to `path.incomplete` and through the hash on their way; one that was broken off, by this
 * process or another, goes on where it stopped. Only a file of the right length and hash gets its name, after its bytes
 * have reached the disk.
 *
 * @throws {HubError} If the hub refuses, stays away, or sends other bytes than it said.
 */
export async function downloadFile(client: HubClient, job: FileJob): Promise<void> {
  checkFileName(job.file.name);
  await Deno.mkdir(dirname(job.path), { recursive: true });
  using part = await Part.open(job);
  let wasResumed = part.size > 0;
  for (;;) {
    let before = part.size;
    const hasProgressed = (): boolean => {
      const isFurther = part.size > before;
      before = part.size;
      return isFurther;
    };
    await client.retry(() => fetchRest(client, job, part), hasProgressed);
    const { hash } = job.file;
    if (!isHash(hash) || part.digest.copy().digest("hex") === hash) break;
    await part.restart();
    // A resumed file may mix two versions and is fetched anew; a wrong file fetched in one go is an error.
    if (!wasResumed) throw changed(job);
    wasResumed = false;
  }
  await part.finish();
}

function changed({ file, repository }: FileJob): HubError {
  return new HubError(
    `Cannot take ${file.name} of ${repository} as its bytes are not those that its hash says: they were changed on ` +
      "the way, and have been thrown away",
  );
}

/** Fetches what a part lacks. */
async function fetchRest(client: HubClient, job: FileJob, part: Part): Promise<void> {
  const { repository, commit, file } = job;
  if (part.size === file.size) return;
  const name = file.name.split("/").map(encodeURIComponent).join("/");
  const answer = await client.ask(`/${repository}/resolve/${commit}/${name}`, repository, {
    ...(part.size > 0 && { range: `bytes=${part.size}-` }),
    ...(part.size > 0 && part.etag && { "if-range": part.etag }),
  });
  try {
    const etag = strongEtag(answer);
    const goesOn = answer.status === 206 && continues(answer, part.size, file.size) &&
      (!part.etag || part.etag === etag);
    // Asked for a range or not, a server may send the whole; and a part of another version is of no use.
    if (part.size > 0 && !goesOn) await part.restart();
    if (answer.status !== 200 && !goesOn) {
      throw new Interruption(`${repository} changed between two parts of ${file.name}`);
    }
    await part.setEtag(etag);
    while (await part.fill((view) => answer.read(view))) {
      if (part.size <= file.size) continue;
      await part.restart();
      throw new HubError(
        `Cannot take ${file.name} of ${repository} as more bytes came than its ${file.size}`,
      );
    }
  } finally {
    await answer.cancel();
    await part.flush();
  }
  if (part.size < file.size) {
    throw new Interruption(`${file.name} broke off after ${part.size} of ${file.size} bytes`);
  }
}

function strongEtag({ headers }: HubResponse): string | undefined {
  const etag = headers.get("etag");
  return etag?.startsWith('"') ? etag : undefined;
}

function continues({ headers }: HubResponse, start: number, size: number): boolean {
  const range = headers.get("content-range")?.match(/^bytes (\d+)-(\d+)\/(\d+|\*)$/);
  return range?.[1] === String(start) && (range[3] === "*" || range[3] === String(size));
}

/** The beginning of a file, on disk, and its hash so far. */
class Part implements Disposable {
  /** Bytes that are on disk and in the hash. */
  size = 0;
  digest: Hash;
  /** Of the version that the bytes are of, where the server named one. */
  etag: string | undefined;
  readonly #job: FileJob;
  readonly #file: Deno.FsFile;
  /** The block that is being written, and one that can be read into. */
  #writing: Promise<Uint8Array<ArrayBuffer> | undefined> = Promise.resolve(undefined);
  #free: Uint8Array<ArrayBuffer> | undefined;

  private constructor(job: FileJob, file: Deno.FsFile) {
    this.#job = job;
    this.#file = file;
    this.digest = startDigest(job.file);
  }

  /** Opens what is there, and hashes it. */
  static async open(job: FileJob): Promise<Part> {
    const path = incomplete(job.path);
    const part = new Part(job, await Deno.open(path, { read: true, write: true, create: true }));
    try {
      const { size } = await part.#file.stat();
      if (size > job.file.size) await part.restart();
      else if (size > 0) {
        const { digest } = part;
        const { onProgress } = job;
        part.size = await digestFile(path, { digest, end: size, onProgress });
        await part.#file.seek(part.size, Deno.SeekMode.Start);
        part.etag = await readIfThere(etagFile(job.path));
      }
      return part;
    } catch (error) {
      part[Symbol.dispose]();
      throw error;
    }
  }

  /** Notes the version of the bytes, for the process that resumes the download. */
  async setEtag(etag: string | undefined): Promise<void> {
    if (etag === this.etag) return;
    this.etag = etag;
    if (etag) await Deno.writeTextFile(etagFile(this.#job.path), etag);
    else await removeIfThere(etagFile(this.#job.path));
  }

  /**
   * Takes the next bytes: they are written while they are hashed, and while the next are fetched.
   *
   * @param read Fills some of a view, whose buffer it takes over and gives back with what it returns.
   * @returns Whether there were any.
   */
  async fill(
    read: (view: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>,
  ): Promise<boolean> {
    const free = this.#free ?? new Uint8Array(BLOCK);
    this.#free = undefined; // it is gone if the read fails
    const block = await read(free);
    if (block.length === 0) return false;
    const written = await this.#writing;
    if (written) this.#free = new Uint8Array(written.buffer);
    this.#writing = this.#append(block);
    this.#writing.catch(() => {}); // it is awaited before the next block
    this.digest.update(block);
    this.size += block.length;
    this.#job.onProgress(block.length);
    return true;
  }

  /** Waits until all is written. */
  async flush(): Promise<void> {
    await this.#writing;
  }

  /** Throws everything away. */
  async restart(): Promise<void> {
    await this.#writing;
    this.#job.onProgress(-this.size);
    this.size = 0;
    this.digest = startDigest(this.#job.file);
    await this.setEtag(undefined);
    await this.#file.truncate(0);
    await this.#file.seek(0, Deno.SeekMode.Start);
  }

  /** Gives the file its name, after its bytes have reached the disk. */
  async finish(): Promise<void> {
    await this.#file.sync();
    await Deno.rename(incomplete(this.#job.path), this.#job.path);
    await removeIfThere(etagFile(this.#job.path));
    await syncDirectory(dirname(this.#job.path));
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }

  async #append(block: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
    try {
      for (let at = 0; at < block.length;) at += await this.#file.write(block.subarray(at));
      return block;
    } catch (cause) {
      const { code } = cause as { code?: string };
      if (code !== "ENOSPC" && code !== "EDQUOT") throw cause;
      throw new HubError(
        `Cannot write ${this.#job.file.name} as the disk is full: make room and start again, what has come is kept`,
        undefined,
        { cause },
      );
    }
  }
}

/** Where the beginning of a file is until it is whole. */
export function incomplete(path: string): string {
  return `${path}.incomplete`;
}

function etagFile(path: string): string {
  return `${path}.incomplete.etag`;
}

/** Writes a directory's new names to the disk; not every system can do that. */
async function syncDirectory(path: string): Promise<void> {
  try {
    using directory = await Deno.open(path, { read: true });
    await directory.sync();
  } catch { /* this system can't */ }
}
