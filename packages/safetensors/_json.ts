// Copyright 2026 the Infoflow authors. MIT license.

import { SafetensorsError } from "./error.ts";
import { KeySet } from "./_key_set.ts";
import { quote } from "./_quote.ts";
import { fromDigits, type U64 } from "./_u64.ts";

// The reference's JSON library gives up at the 128th bracket that is open at once.
const MAX_DEPTH = 127;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const NUMBER_CHARACTER = /[-+.0-9eE]/;

/**
 * Reads JSON front to back, straight into what the caller asks for: no tree is built, so that what
 * is merely skipped takes no memory.
 *
 * `JSON.parse` alone would not do: it drops repeated keys, rounds integers above 2^53, takes `2.0`
 * for 2, and knows no limit of depth. Within a single string or number, where none of this can
 * happen, it does the work.
 */
export class JsonReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;
  #repeatedKey: string | undefined;

  constructor(text: string) {
    this.#text = text;
  }

  /** The first key that came twice in one object. */
  get repeatedKey(): string | undefined {
    return this.#repeatedKey;
  }

  /** The first character of the next token; empty at the end of the text. */
  peek(): string {
    this.#next();
    return this.#text.charAt(this.#at);
  }

  /**
   * Reads an object.
   *
   * @param visit Called with each key; it must read the value.
   * @param visited The map that `visit` fills, if there is one: it spares a set of all the keys.
   */
  object(visit: (key: string) => void, visited?: ReadonlyMap<string, unknown>): void {
    const keys = visited ?? new KeySet();
    this.#open(OPEN_OBJECT);
    for (let more = !this.#take(CLOSE_OBJECT); more; more = this.#another(CLOSE_OBJECT)) {
      const key = this.string();
      if (keys.has(key)) this.#repeatedKey ??= key;
      else if (keys instanceof KeySet) keys.add(key);
      this.#expect(COLON);
      visit(key);
    }
    this.#depth--;
  }

  /** Reads an array; `visit` is called with each index, and it must read the element. */
  array(visit: (index: number) => void): void {
    let index = 0;
    this.#open(OPEN_ARRAY);
    for (let more = !this.#take(CLOSE_ARRAY); more; more = this.#another(CLOSE_ARRAY)) {
      visit(index++);
    }
    this.#depth--;
  }

  /** Reads a string. */
  string(): string {
    this.#expect(QUOTE);
    const text = this.#text;
    const start = this.#at;
    let end = start;
    let isPlain = true;
    for (let next; (next = text.charCodeAt(end)) !== QUOTE; end++) {
      if (!(next >= SPACE)) {
        this.#at = end;
        this.fail("a string must not hold a control character and must end");
      }
      if (next === BACKSLASH) {
        isPlain = false;
        end++; // an escaped quote does not end the string
      }
    }
    this.#at = end + 1;
    return isPlain ? text.slice(start, end) : this.#unescape(start, end);
  }

  /** Reads an integer from 0 to 2^64 - 1: digits alone, no sign, fraction or exponent. */
  u64(): U64 {
    this.#next();
    const start = this.#at;
    let rounded = 0;
    for (let digit; (digit = this.#text.charCodeAt(this.#at) - ZERO) >= 0 && digit <= 9;) {
      rounded = rounded * 10 + digit;
      this.#at++;
    }
    const length = this.#at - start;
    const isExact = rounded <= Number.MAX_SAFE_INTEGER;
    const value = isExact ? rounded : fromDigits(this.#text.slice(start, this.#at));
    const hasLeadingZero = length > 1 && this.#text.charCodeAt(start) === ZERO;
    if (length === 0 || hasLeadingZero || value === undefined) {
      this.#at = start;
      this.fail("an integer from 0 to 2^64 - 1 must be here");
    }
    return value;
  }

  /** Reads the word `null`, `true` or `false`. */
  word(word: "null" | "true" | "false"): void {
    this.#next();
    if (!this.#text.startsWith(word, this.#at)) this.fail(`the word ${word} must be here`);
    this.#at += word.length;
  }

  /** Reads a value of any kind and forgets it. */
  skip(): void {
    switch (this.peek()) {
      case "{":
        return this.object(() => this.skip());
      case "[":
        return this.array(() => this.skip());
      case '"':
        this.string();
        return;
      case "n":
        return this.word("null");
      case "t":
        return this.word("true");
      case "f":
        return this.word("false");
      default:
        return this.#skipNumber();
    }
  }

  /** Makes sure that nothing follows. */
  end(): void {
    if (this.peek() !== "") this.fail("nothing must follow the outermost object");
  }

  /** Throws: the `rule` is broken by the next character. */
  fail(rule: string): never {
    const next = this.#text.charAt(this.#at);
    const value = next ? `${quote(next)} at character ${this.#at}` : "the end of the header";
    throw new SafetensorsError(
      "InvalidHeaderDeserialization",
      `Cannot parse safetensors header as ${rule}: current value is ${value}`,
    );
  }

  #open(bracket: number): void {
    if (this.#depth === MAX_DEPTH) this.fail(`brackets must not nest deeper than ${MAX_DEPTH}`);
    this.#depth++;
    this.#expect(bracket);
  }

  /** After an element: is there another one, or does `close` end the list? */
  #another(close: number): boolean {
    if (this.#take(close)) return false;
    this.#expect(COMMA);
    return true;
  }

  #expect(token: number): void {
    if (!this.#take(token)) this.fail(`a ${String.fromCharCode(token)} must be here`);
  }

  #take(token: number): boolean {
    if (this.#next() !== token) return false;
    this.#at++;
    return true;
  }

  /** The first character of the next token as a code; NaN at the end of the text. */
  #next(): number {
    const text = this.#text;
    let at = this.#at;
    let next = text.charCodeAt(at);
    while (next === SPACE || next === 0x0a || next === 0x0d || next === 0x09) {
      next = text.charCodeAt(++at);
    }
    this.#at = at;
    return next;
  }

  #unescape(start: number, end: number): string {
    let value: string | undefined;
    try {
      value = JSON.parse(this.#text.slice(start - 1, end + 1));
    } catch { /* an unknown escape */ }
    // The text was UTF-8, which has no lone surrogates: one in the value was escaped.
    if (value?.isWellFormed()) return value;
    this.#at = start;
    this.fail("escapes must be known ones, and surrogates must come in pairs, in the string");
  }

  #skipNumber(): void {
    const start = this.#at;
    while (NUMBER_CHARACTER.test(this.#text.charAt(this.#at))) this.#at++;
    try {
      if (Number.isFinite(JSON.parse(this.#text.slice(start, this.#at)))) return;
    } catch { /* not a number */ }
    this.#at = start;
    this.fail("a value must be here, and a number must be finite");
  }
}
