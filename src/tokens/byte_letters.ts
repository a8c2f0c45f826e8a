/**
 * Tokenizer files spell each byte with a letter of its own, so that every token can be written down: printable bytes
 * with themselves, the others, in order, with the letters from U+0100 on.
 */
const LETTERS: readonly string[] = letters();
const BYTES: ReadonlyMap<string, number> = new Map(LETTERS.map((letter, byte) => [letter, byte]));

/** The bytes that a token's spelling stands for; undefined if it is no such spelling. */
export function bytesOfLetters(spelling: string): Uint8Array | undefined {
  const bytes = Array.from(spelling, (letter) => BYTES.get(letter));
  return bytes.includes(undefined) ? undefined : Uint8Array.from(bytes as number[]);
}

/** The spelling of bytes. */
export function lettersOfBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => LETTERS[byte]).join("");
}

function letters(): string[] {
  let next = 0x100;
  return Array.from({ length: 256 }, (_, byte) => {
    const isPrintable = byte >= 0x21 && byte <= 0x7e || byte >= 0xa1 && byte !== 0xad;
    return String.fromCharCode(isPrintable ? byte : next++);
  });
}
