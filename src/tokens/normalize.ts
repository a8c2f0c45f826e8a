import { shown } from "../errors.ts";

/** A text after normalization, and where its parts were before. */
export interface Normalized {
  readonly text: string;
  /** For each place between UTF-16 units of it, the place in the original. */
  readonly origins: ArrayLike<number>;
}

/** What a tokenizer does to a text before it cuts it. */
export type Normalizer = (text: string) => Normalized;

/** What is done to a chunk of text. */
type Change = (chunk: string) => string;

const FORMS = ["NFC", "NFD", "NFKC", "NFKD"];

/**
 * Makes the normalizer that a `tokenizer.json` describes.
 *
 * @returns Undefined if it changes nothing.
 * @throws {RangeError} If it is none of Unicode's forms, lower case, and sequences of those; the text names it.
 */
export function normalizerOf(described: unknown): Normalizer | undefined {
  const changes = changesOf(described);
  if (changes.length === 0) return undefined;
  return (text) => {
    let normalized: Normalized = {
      text,
      origins: Int32Array.from({ length: text.length + 1 }, (_, i) => i),
    };
    for (const change of changes) normalized = apply(change, normalized);
    return normalized;
  };
}

function changesOf(described: unknown): Change[] {
  if (described === null || described === undefined) return [];
  const { type, normalizers } = described as { type?: string; normalizers?: unknown };
  if (type === "Sequence" && Array.isArray(normalizers)) return normalizers.flatMap(changesOf);
  if (FORMS.includes(type!)) return [(chunk) => chunk.normalize(type)];
  if (type === "Lowercase") return [(chunk) => chunk.toLowerCase()];
  throw new RangeError(
    `Cannot read prompts by tokenizer.json as its normalizer must be null, ${FORMS.join(", ")}, ` +
      `Lowercase or a Sequence of those: current value is ${shown(described)}`,
  );
}

/** A character, and the marks or Hangul letters that may be composed with it. */
const CHUNKS = /[^][\p{M}\u1160-\u11ff\ud7b0-\ud7ff]*/gu;

/** A place within a chunk counts as its end: a character belongs to the token that has its first byte. */
function apply(change: Change, { text, origins }: Normalized): Normalized {
  const whole = change(text);
  if (whole === text) return { text, origins };
  const chunks = Array.from(text.matchAll(CHUNKS), ([chunk]) => chunk);
  const changed = chunks.map(change);
  const isByChunk = changed.join("") === whole;
  const [before, after] = isByChunk ? [chunks, changed] : [[text], [whole]];
  const places = new Int32Array(whole.length + 1);
  places[0] = origins[0]!;
  let [from, to] = [0, 0];
  before.forEach((chunk, index) => {
    from += chunk.length;
    const { length } = after[index]!;
    places.fill(origins[from]!, to + 1, to + length + 1);
    to += length;
  });
  return { text: whole, origins: places };
}
