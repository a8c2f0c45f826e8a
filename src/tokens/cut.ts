import { shown } from "../errors.ts";
import { PIECES } from "./vocabulary.ts";

/** Cuts a text into pieces that are merged each by itself; together they are the text. */
export type Cut = (text: string) => Iterable<string>;

/** GPT-2's way. */
export function gpt2Cut(text: string): Iterable<string> {
  return text.matchAll(PIECES).map(([piece]) => piece);
}

/** How a tokenizer cuts, and whether it puts a space in front first. */
export interface PreTokenizer {
  readonly cut: Cut;
  readonly prefixSpace: boolean;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * Reads `pre_tokenizer` of a `tokenizer.json`: ByteLevel, or a Sequence of regular expressions, digits and then ByteLevel.
 *
 * @throws {RangeError} If it is another; the text names what must be how.
 */
export function preTokenizerOf(described: unknown): PreTokenizer {
  const { type, pretokenizers } = (described ?? {}) as Json;
  const steps = type === "Sequence" && Array.isArray(pretokenizers)
    ? pretokenizers as Json[]
    : [described as Json];
  const last = steps.at(-1);
  if (last?.type !== "ByteLevel") {
    throw refused("type", '"ByteLevel", or a Sequence that ends with it', last?.type);
  }
  const prefixSpace = last.add_prefix_space === true;
  const cuts = steps.slice(0, -1).map(cutOf);
  if (cuts.length > 0 && prefixSpace) {
    throw refused("add_prefix_space", "false where it is a Sequence", true);
  }
  if (last.use_regex ?? true) cuts.push(gpt2Cut);
  const cut: Cut = (text) =>
    cuts.reduce<Iterable<string>>(
      (pieces, next) => Iterator.from(pieces).flatMap((piece) => Iterator.from(next(piece))),
      [text],
    );
  return { cut: cuts.length === 1 ? cuts[0]! : cut, prefixSpace };
}

function cutOf(step: Json): Cut {
  if (step.type === "Digits") return isolate(step.individual_digits ? /\p{N}/gu : /\p{N}+/gu);
  if (step.type !== "Split") throw refused("a step's type", '"Split" or "Digits"', step.type);
  const { Regex: regex, String: text } = step.pattern as { Regex?: string; String?: string };
  if (step.behavior !== "Isolated" || step.invert) {
    throw refused("behavior of a Split", '"Isolated" and not inverted', step.behavior);
  }
  if (regex === undefined) return isolate(new RegExp(RegExp.escape(text ?? ""), "gu"));
  try {
    // The reference implementations mean Unicode's White_Space; JavaScript's \s is another set.
    return isolate(
      new RegExp(
        regex.replaceAll("\\s", "\\p{White_Space}").replaceAll("\\S", "\\P{White_Space}"),
        "gu",
      ),
    );
  } catch {
    throw refused("pattern of a Split", "a regular expression of JavaScript, too", regex);
  }
}

/** What a pattern finds is a piece, and so is what lies between. */
function isolate(pattern: RegExp): Cut {
  return (text) => {
    const pieces: string[] = [];
    let at = 0;
    for (const { 0: found, index } of text.matchAll(pattern)) {
      if (found === "") continue;
      if (index > at) pieces.push(text.slice(at, index));
      pieces.push(found);
      at = index + found.length;
    }
    if (at < text.length) pieces.push(text.slice(at));
    return pieces;
  };
}

function refused(what: string, rule: string, value: unknown): RangeError {
  return new RangeError(
    `Cannot read prompts by tokenizer.json as pre_tokenizer.${what} must be ${rule}: current value is ${
      shown(value)
    }`,
  );
}
