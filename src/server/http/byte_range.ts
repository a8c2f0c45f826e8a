/** Some bytes of an answer, both ends included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** One range of bytes: `from-to`, `from-`, or `-length` (RFC 9110, 14.1.2). */
const ONE_RANGE = /^bytes=[ \t]*(\d*)-(\d*)[ \t]*$/i;

/**
 * Reads a `Range` header.
 *
 * @param size How many bytes there are.
 * @returns The range; `"whole"` where there is none, or one that servers are to ignore: another unit, several ranges,
 * nonsense; `"unsatisfiable"` where none of it is there.
 */
export function parseRange(
  header: string | null,
  size: number,
): ByteRange | "whole" | "unsatisfiable" {
  const [, from = "", to = ""] = header?.match(ONE_RANGE) ?? [];
  if (from === "" && to === "") return "whole";
  if (from === "") {
    const length = Math.min(Number(to), size);
    return length > 0 ? { first: size - length, last: size - 1 } : "unsatisfiable";
  }
  const first = Number(from);
  const last = to === "" ? size - 1 : Math.min(Number(to), size - 1);
  if (to !== "" && Number(to) < first) return "whole";
  return first < size ? { first, last } : "unsatisfiable";
}
