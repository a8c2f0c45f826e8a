import { bytesOf } from "./bytes_of.ts";

/** A longer line is no prompt: it would be read into memory whole. */
const LONGEST_LINE = 64 * 2 ** 20;

const NEWLINE = 10;

/**
 * The lines of a text file as bytes, without their ends (LF or CRLF). Text after the last end is a line.
 *
 * @throws {RangeError} If a line is longer than 64 MiB.
 */
export async function* linesOf(path: string): AsyncGenerator<Uint8Array> {
  let rest: Uint8Array[] = [];
  let length = 0;
  let isFirst = true;
  const finish = (last: Uint8Array): Uint8Array => {
    let line = rest.length === 0 ? last : joined([...rest, last]);
    rest = [];
    length = 0;
    if (line.at(-1) === 13) line = line.subarray(0, -1);
    if (isFirst && line[0] === 0xef && line[1] === 0xbb && line[2] === 0xbf) {
      line = line.subarray(3);
    }
    isFirst = false;
    return line;
  };
  for await (const piece of bytesOf(path)) {
    let begin = 0;
    for (;;) {
      const end = piece.indexOf(NEWLINE, begin);
      if (end < 0) break;
      yield finish(piece.subarray(begin, end));
      begin = end + 1;
    }
    if (begin === piece.length) continue;
    rest.push(piece.slice(begin));
    length += piece.length - begin;
    if (length > LONGEST_LINE) {
      throw new RangeError(
        `Cannot read ${path} as a line must have ${LONGEST_LINE} bytes at most: current value is ${length} and more`,
      );
    }
  }
  if (length > 0) yield finish(new Uint8Array(0));
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}
