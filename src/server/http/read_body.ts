import { bodyTooLarge } from "./size_limits.ts";

/**
 * Reads the body of a request.
 *
 * @throws {InfoflowError} BODY_TOO_LARGE, as soon as that is known.
 */
export async function readBody(request: Request, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const hint = "send the rows in parts";
  if (Number(request.headers.get("content-length") ?? 0) > limit) throw bodyTooLarge(limit, hint);
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of request.body ?? []) {
    length += piece.length;
    if (length > limit) throw bodyTooLarge(limit, hint);
    pieces.push(piece);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
