import { shown } from "../../errors.ts";

/** A Hugging Face `config.json`. */
export type Config = Readonly<Record<string, unknown>>;

/**
 * Reads the id of the token that a model was trained to see first from its `config.json`.
 *
 * @returns Undefined if it says none.
 * @throws {SyntaxError} If it is not a JSON object.
 * @throws {RangeError} If it is no id.
 */
export function parseBosId(text: string): number | undefined {
  const id = parseConfig(text).bos_token_id;
  if (id === undefined || id === null) return undefined;
  if (Number.isInteger(id) && (id as number) >= 0) return id as number;
  throw refused("bos_token_id", "must be the id of a token", id);
}

/**
 * Reads a `config.json`.
 *
 * @throws {SyntaxError} If it is not a JSON object.
 */
export function parseConfig(text: string): Config {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError("Cannot read config.json as it is not JSON", { cause });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new SyntaxError("Cannot read config.json as it must be a JSON object");
  }
  return value as Config;
}

/** The name that a config uses, by default GPT-2's own. */
export function nameOf(config: Config, names: readonly [string, ...string[]]): string {
  return names.find((name) => name in config) ?? names[0];
}

/** The error for an option that can't be run. */
export function refused(name: string, rule: string, value: unknown): RangeError {
  return new RangeError(
    `Cannot run this model as ${name} of config.json ${rule}: current value is ${shown(value)}`,
  );
}

/**
 * The value of an option, `missing` where the config leaves it out.
 *
 * @throws {RangeError} If it is none of those allowed.
 */
export function expect<T>(
  config: Config,
  name: string,
  allowed: readonly T[],
  missing: T | undefined,
): T {
  const value = config[name] ?? missing;
  if (!allowed.includes(value as T)) {
    throw refused(name, `must be ${allowed.map((it) => JSON.stringify(it)).join(" or ")}`, value);
  }
  return value as T;
}

/** No model has larger sizes: a config that names one is broken. */
const LARGEST = 2 ** 24;

/**
 * The value of an option that is a size.
 *
 * @throws {RangeError} If it is no positive multiple.
 */
export function size(config: Config, name: string, multipleOf: number): number {
  const value = config[name];
  if (
    typeof value !== "number" || !Number.isInteger(value) || value < 1 || value > LARGEST ||
    value % multipleOf !== 0
  ) {
    const kind = multipleOf === 1 ? "a positive integer" : `a positive multiple of ${multipleOf}`;
    throw refused(name, `must be ${kind}`, value);
  }
  return value;
}
