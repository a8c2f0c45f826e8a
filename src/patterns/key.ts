import { createHash } from "node:crypto";

/** The name of a prompt's patterns in the cache: a hash of the model and the token ids. */
export function patternKey(fingerprint: string, ids: readonly number[]): string {
  return createHash("sha256").update(fingerprint).update(new Uint32Array(ids)).digest("hex");
}
