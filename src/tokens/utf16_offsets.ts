const encoder = new TextEncoder();

/**
 * For each place between bytes of a text's UTF-8, the place in UTF-16 units. A place within a character counts as its
 * end: the character belongs to the token that has its first byte.
 */
export function utf16Offsets(text: string): Int32Array {
  const offsets = new Int32Array(encoder.encode(text).length + 1);
  let byte = 0;
  let unit = 0;
  for (const character of text) {
    unit += character.length;
    const length = utf8Length(character.codePointAt(0)!);
    offsets.fill(unit, byte + 1, byte + length + 1);
    byte += length;
  }
  return offsets;
}

function utf8Length(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}
