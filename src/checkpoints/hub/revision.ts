import type { HubClient } from "./client.ts";
import { type Expected, isHash } from "./digest.ts";
import { HubError } from "./error.ts";
import { basename } from "node:path";
import { isModelFile } from "../model_files.ts";
import { checkFileName, checkRevision, COMMIT } from "./repository.ts";

/** A file of a model, as the hub states it. */
export interface RemoteFile extends Expected {
  readonly name: string;
}

/** A model at a commit. */
export interface Revision {
  readonly repository: string;
  readonly commit: string;
  /** The files by name. Names are as the hub gave them: check those that become paths. */
  readonly files: ReadonlyMap<string, RemoteFile>;
}

/** A file in the hub's answer; `lfs` is there for those that are kept outside git. */
interface Sibling {
  readonly rfilename: string;
  readonly size?: number;
  readonly blobId?: string;
  readonly lfs?: { readonly sha256?: string; readonly size?: number };
}

/** Files whose size and hash are asked for one by one, where a mirror's list has none. */
const MOST_ASKED = 200;
/** How many of them at once. */
const AT_ONCE = 8;

/**
 * Asks the hub which commit a revision is at, and what its files are.
 *
 * @throws {HubError} If there is none, or the answer is not what the hub's answers are.
 */
export async function fetchRevision(
  client: HubClient,
  repository: string,
  revision: string,
): Promise<Revision> {
  checkRevision(revision);
  const path = `/api/models/${repository}/revision/${encodeURIComponent(revision)}?blobs=true`;
  const answer = await client.json(path, repository);
  const { sha, siblings } = answer as { sha?: unknown; siblings?: unknown };
  if (typeof sha !== "string" || !COMMIT.test(sha) || !Array.isArray(siblings)) {
    throw new HubError(
      `Cannot read the hub's answer about ${repository} as it must name a commit and its files`,
    );
  }
  const stated = siblings.map(toFile);
  const lacking = stated.filter((it) => typeof it === "string")
    .filter((name) => isModelFile(basename(name)));
  if (lacking.length > MOST_ASKED) {
    throw new HubError(
      `Cannot read the hub's answer about ${repository} as it states neither sizes nor hashes of ${lacking.length} files`,
    );
  }
  const files = stated.filter((it) => typeof it !== "string");
  for (let first = 0; first < lacking.length; first += AT_ONCE) {
    const some = lacking.slice(first, first + AT_ONCE);
    files.push(
      ...await Promise.all(
        some.map((name) => fetchFile(client, { repository, commit: sha, name })),
      ),
    );
  }
  return { repository, commit: sha, files: new Map(files.map((file) => [file.name, file])) };
}

/** What the list states of a file; its name alone if that is all. */
function toFile(sibling: Sibling): RemoteFile | string {
  const { rfilename: name, size, blobId, lfs } = sibling;
  const { size: bytes, hash } = lfs ? { size: lfs.size, hash: lfs.sha256 } : { size, hash: blobId };
  const isBad = (isRight: boolean, value: unknown): boolean =>
    !isRight && value !== undefined && value !== null;
  const isSize = Number.isSafeInteger(bytes) && bytes! >= 0;
  const isKnownHash = typeof hash === "string" && isHash(hash);
  if (typeof name !== "string" || isBad(isSize, bytes) || isBad(isKnownHash, hash)) {
    throw new HubError(
      `Cannot read the hub's answer as each file must have a name, a size and a hash: current value is ${
        JSON.stringify(sibling)
      }`,
    );
  }
  return isSize && isKnownHash ? { name, size: bytes!, hash } : name;
}

/**
 * Asks for the size and the hash of one file, which mirrors state in the headers of the file itself, as Python's
 * huggingface_hub does.
 */
async function fetchFile(
  client: HubClient,
  { repository, commit, name }: {
    readonly repository: string;
    readonly commit: string;
    readonly name: string;
  },
): Promise<RemoteFile> {
  checkFileName(name);
  const path = name.split("/").map(encodeURIComponent).join("/");
  const headers = await client.head(`/${repository}/resolve/${commit}/${path}`, repository);
  const etag = headers.get("x-linked-etag") ?? headers.get("etag");
  const hash = etag?.replace(/^W\//, "").replaceAll('"', "") ?? "";
  const size = Number(headers.get("x-linked-size") ?? headers.get("content-length") ?? NaN);
  // An ETag that is no hash still names the file in the cache, but its bytes can't be compared with anything.
  if (Number.isSafeInteger(size) && /^[\w-][\w.-]{0,127}$/.test(hash)) return { name, size, hash };
  throw new HubError(
    `Cannot download ${name} of ${repository} as the hub states neither its size nor its ETag`,
  );
}
