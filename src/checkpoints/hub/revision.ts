import type { HubClient } from "./client.ts";
import { type Expected, isHash } from "./digest.ts";
import { HubError } from "./error.ts";
import { checkRevision, COMMIT } from "./repository.ts";

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
  readonly size: number;
  readonly blobId: string;
  readonly lfs?: { readonly sha256: string; readonly size: number };
}

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
  const files = siblings.map(toFile);
  return { repository, commit: sha, files: new Map(files.map((file) => [file.name, file])) };
}

function toFile(sibling: Sibling): RemoteFile {
  const { rfilename: name, size, blobId, lfs } = sibling;
  const file = lfs ? { name, size: lfs.size, hash: lfs.sha256 } : { name, size, hash: blobId };
  const isRight = typeof name === "string" && Number.isSafeInteger(file.size) && file.size >= 0 &&
    typeof file.hash === "string" && isHash(file.hash);
  if (isRight) return file;
  throw new HubError(
    `Cannot read the hub's answer as each file must have a name, a size and a hash: current value is ${
      JSON.stringify(sibling)
    }`,
  );
}
