import { InfoflowError } from "../../errors.ts";
import type { Head } from "../../requests/flow_options.ts";

/** The query of a link. Unknown parameters are refused. */
export class Query {
  readonly #given = new Map<string, string[]>();

  /**
   * @param search The URL's query, `?` included.
   * @param names The parameters that there are.
   * @throws {InfoflowError} BAD_USER_INPUT if another is given, or bytes are no UTF-8.
   */
  constructor(search: string, names: readonly string[]) {
    for (const part of search.slice(1).split("&").filter(Boolean)) {
      const [name = "", value = ""] = part.split(/=(.*)/s).map(decode);
      if (!names.includes(name)) throw bad("a parameter", `one of ${names.join(", ")}`, name);
      this.#given.set(name, [...this.#given.get(name) ?? [], value]);
    }
  }

  /** A text. */
  text(name: string): string | undefined {
    return this.#once(name);
  }

  /** Texts, each in a parameter of its own. */
  texts(name: string): string[] | undefined {
    return this.#given.get(name);
  }

  /** One of some words. */
  choice<T extends string>(name: string, values: readonly T[]): T | undefined {
    return this.#read(name, (value) => oneOf(name, values, value));
  }

  /** Some of some words, separated by commas or each in a parameter of its own. */
  choices<T extends string>(name: string, values: readonly T[]): T[] | undefined {
    return this.#list(name, (value) => oneOf(name, values, value));
  }

  /** `true` or `false`. */
  boolean(name: string): boolean | undefined {
    return this.#read(name, (value) => oneOf(name, ["true", "false"], value) === "true");
  }

  /** A whole number; negative ones count from the end. */
  integer(name: string): number | undefined {
    return this.#read(name, (value) => parseInteger(name, value, "a whole number"));
  }

  /** Whole numbers, separated by commas or each in a parameter of its own. */
  integers(name: string): number[] | undefined {
    const rule = "whole numbers separated by commas";
    return this.#list(name, (value) => parseInteger(name, value, rule));
  }

  /** A number, such as 0.04. */
  number(name: string): number | undefined {
    return this.#read(name, (value) => parseNumber(name, value, "a number"));
  }

  /** Numbers, separated by commas or each in a parameter of its own. */
  numbers(name: string): number[] | undefined {
    return this.#list(name, (value) => parseNumber(name, value, "numbers separated by commas"));
  }

  /** Heads as `layer.head`, separated by commas or each in a parameter of its own. */
  heads(name: string): Head[] | undefined {
    const rule = "heads written layer.head, separated by commas";
    return this.#list(name, (value) => {
      const [layer = "", head = "", ...more] = value.split(".");
      if (more.length > 0) throw bad(name, rule, value);
      return { layer: parseIndex(name, layer, rule), head: parseIndex(name, head, rule) };
    });
  }

  /** A token by its number, or by its text if that is no number. */
  token(name: string): number | string | undefined {
    return this.#read(name, tokenName);
  }

  /** Tokens, each in a parameter of its own: their texts may have commas. */
  tokens(name: string): (number | string)[] | undefined {
    return this.#given.get(name)?.map(tokenName);
  }

  /** An object in JSON. */
  object(name: string): unknown {
    return this.#read(name, (value) => parseJson(name, value, "an object in JSON"));
  }

  /** Objects in JSON: a list of them, or each in a parameter of its own. */
  objects(name: string): unknown[] | undefined {
    return this.#given.get(name)?.flatMap((value) => parseJson(name, value, "a list in JSON"));
  }

  #read<T>(name: string, read: (value: string) => T): T | undefined {
    const value = this.#once(name);
    return value === undefined ? undefined : read(value);
  }

  #list<T>(name: string, read: (value: string) => T): T[] | undefined {
    return this.#given.get(name)?.flatMap((list) => list.split(",").map(read));
  }

  #once(name: string): string | undefined {
    const values = this.#given.get(name) ?? [];
    if (values.length > 1) throw new InfoflowError("BAD_USER_INPUT", `${name} is given twice`);
    return values[0];
  }
}

function oneOf<T extends string>(name: string, values: readonly T[], value: string): T {
  if (values.includes(value as T)) return value as T;
  throw bad(name, `one of ${values.join(", ")}`, value);
}

function tokenName(value: string): number | string {
  return /^\d{1,9}$/.test(value) ? Number(value) : value;
}

function parseIndex(name: string, text: string, rule: string): number {
  if (!/^\d{1,9}$/.test(text)) throw bad(name, rule, text);
  return Number(text);
}

function parseInteger(name: string, text: string, rule: string): number {
  if (!/^-?\d{1,9}$/.test(text)) throw bad(name, rule, text);
  return Number(text);
}

function parseNumber(name: string, text: string, rule: string): number {
  if (!/^-?\d+(\.\d+)?(e-?\d+)?$/.test(text)) throw bad(name, rule, text);
  return Number(text);
}

function parseJson(name: string, text: string, rule: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw bad(name, rule, text);
  }
}

/** Decodes strictly: `URLSearchParams` would put U+FFFD where the bytes are no text. */
function decode(part: string): string {
  try {
    return decodeURIComponent(part.replaceAll("+", " "));
  } catch {
    throw new InfoflowError(
      "BAD_USER_INPUT",
      "Cannot read the link as its percent-encoded bytes must be UTF-8",
    );
  }
}

function bad(name: string, rule: string, value: string): InfoflowError {
  return new InfoflowError(
    "BAD_USER_INPUT",
    `Cannot read the link as ${name} must be ${rule}: current value is ${value}`,
  );
}
