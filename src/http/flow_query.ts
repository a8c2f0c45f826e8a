import { InfoflowError } from "../errors.ts";
import {
  AGGREGATIONS,
  BOS_POLICIES,
  DEFAULT_OPTIONS,
  type FlowOptions,
} from "../flow/definitions.ts";

const PARAMETERS = ["prompt", "byLayer", "aggregation", "bos"];

/**
 * Reads what a link asks for: `?prompt=…&byLayer=true&aggregation=MEAN&bos=DROP`, all but `prompt` optional.
 *
 * @param search The URL's query, `?` included.
 * @throws {InfoflowError} BAD_USER_INPUT, with the values that there are.
 */
export function parseFlowQuery(search: string): FlowOptions & { readonly prompt: string } {
  const given = new Map<string, string>();
  for (const part of search.slice(1).split("&").filter(Boolean)) {
    const [name = "", value = ""] = part.split(/=(.*)/s).map(decode);
    if (!PARAMETERS.includes(name)) throw bad("a parameter", PARAMETERS, name);
    if (given.has(name)) throw new InfoflowError("BAD_USER_INPUT", `${name} is given twice`);
    given.set(name, value);
  }
  const choice = <T extends string>(name: string, values: readonly T[], missing: T): T => {
    const value = given.get(name) ?? missing;
    if (!values.includes(value as T)) throw bad(name, values, value);
    return value as T;
  };
  return {
    prompt: given.get("prompt") ?? "",
    byLayer: choice("byLayer", ["true", "false"], String(DEFAULT_OPTIONS.byLayer)) === "true",
    aggregation: choice("aggregation", AGGREGATIONS, DEFAULT_OPTIONS.aggregation),
    bos: choice("bos", BOS_POLICIES, DEFAULT_OPTIONS.bos),
  };
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

function bad(name: string, values: readonly string[], value: string): InfoflowError {
  return new InfoflowError(
    "BAD_USER_INPUT",
    `Cannot read the link as ${name} must be one of ${
      values.join(", ")
    }: current value is ${value}`,
  );
}
