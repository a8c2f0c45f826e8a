import { InfoflowError } from "../../errors.ts";
import type { Head } from "../../requests/flow_options.ts";

/** The query of a link, read strictly: what it does not know, it refuses. */
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

  /** A text, empty where it is not given. */
  text(name: string): string {
    return this.#once(name) ?? "";
  }

  /** One of some words. */
  choice<T extends string>(name: string, values: readonly T[], missing: T): T {
    const value = this.#once(name) ?? missing;
    if (!values.includes(value as T)) throw bad(name, `one of ${values.join(", ")}`, value);
    return value as T;
  }

  /** `true` or `false`. */
  boolean(name: string, missing: boolean): boolean {
    return this.choice(name, ["true", "false"], String(missing) as "true" | "false") === "true";
  }

  /** A whole number from 0 on. */
  integer(name: string): number | undefined {
    const value = this.#once(name);
    return value === undefined ? undefined : parseInteger(name, value, "a whole number");
  }

  /** A number, such as 0.04. */
  number(name: string): number | undefined {
    const value = this.#once(name);
    if (value === undefined) return undefined;
    if (!/^\d+(\.\d+)?(e-?\d+)?$/.test(value)) throw bad(name, "a number", value);
    return Number(value);
  }

  /** Whole numbers from 0 on, separated by commas, or each in a parameter of its own. */
  integers(name: string): number[] | undefined {
    return this.#given.get(name)?.flatMap((list) =>
      list.split(",").map((value) => parseInteger(name, value, "whole numbers separated by commas"))
    );
  }

  /** Heads as `layer.head`, separated by commas, or each in a parameter of its own. */
  heads(name: string): Head[] | undefined {
    const rule = "heads written layer.head, separated by commas";
    return this.#given.get(name)?.flatMap((list) =>
      list.split(",").map((value) => {
        const [layer = "", head = "", ...more] = value.split(".");
        if (more.length > 0) throw bad(name, rule, value);
        return { layer: parseInteger(name, layer, rule), head: parseInteger(name, head, rule) };
      })
    );
  }

  #once(name: string): string | undefined {
    const values = this.#given.get(name) ?? [];
    if (values.length > 1) throw new InfoflowError("BAD_USER_INPUT", `${name} is given twice`);
    return values[0];
  }
}

function parseInteger(name: string, text: string, rule: string): number {
  if (!/^\d{1,9}$/.test(text)) throw bad(name, rule, text);
  return Number(text);
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
