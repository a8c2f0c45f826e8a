/** An entity tag as it stands in a header: opaque, and weak where it begins with `W/` (RFC 9110, 8.8.3). */
const TAG = /(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"/g;

/**
 * Whether `If-None-Match` has the tag, so that the client has the answer already. Weak and strong tags count as the
 * same (RFC 9110, 13.1.2).
 *
 * @param header The header's value, if it was sent.
 * @param tag The strong tag of what would be sent, in its quotes.
 */
export function isKnown(header: string | null, tag: string): boolean {
  if (header === null) return false;
  if (header.trim() === "*") return true;
  return (header.match(TAG) ?? []).some((one) => one.replace(/^W\//, "") === tag);
}

/**
 * Whether `If-Range` allows a range: it is missing, or has the tag. A date is not, since answers have none, and neither
 * is a weak tag (RFC 9110, 13.1.5).
 */
export function mayBePart(header: string | null, tag: string): boolean {
  return header === null || header.trim() === tag;
}
