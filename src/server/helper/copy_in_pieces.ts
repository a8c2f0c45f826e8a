import { isLong, pause } from "../../pauses.ts";

/** Bytes that are copied between two looks at the clock, which takes about a millisecond. */
const PIECE = 2 ** 20;

/**
 * Copies an array to hand it to a thread, which takes the copy's buffer. A large one is copied piece by piece, so that
 * others are answered meanwhile; a message would copy it at one go.
 */
export async function copyInPieces<
  Values extends Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>,
>(
  values: Values,
): Promise<Values> {
  const copy = new (values.constructor as new (length: number) => Values)(values.length);
  const step = PIECE / values.BYTES_PER_ELEMENT;
  for (let at = 0; at < values.length; at += step) {
    if (isLong()) await pause();
    copy.set(values.subarray(at, at + step), at);
  }
  return copy;
}
