import { parseArgs } from "node:util";
import { closest } from "fastest-levenshtein";

/** A flag of a command, given as `--name VALUE` or in the environment. */
export interface Flag {
  readonly type: "string" | "boolean";
  /** The value's name in the help; flags of type boolean have none. */
  readonly value?: string;
  readonly help: string;
  /** Whether it may be given more than once; in the environment, values are separated by commas. */
  readonly multiple?: boolean;
}

/** The arguments of a command. */
export interface Parsed {
  readonly values: ReadonlyMap<string, string | boolean | readonly string[]>;
  readonly positionals: readonly string[];
}

/** A command was called wrongly: the user sees the text, not a stack trace. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** The variable that stands for a flag where it is not given: `cache-mib` is `INFOFLOW_CACHE_MIB`. */
export function variableOf(flag: string): string {
  return `INFOFLOW_${flag.toUpperCase().replaceAll("-", "_")}`;
}

/**
 * Parses what a command was called with.
 *
 * @param args The arguments after the command's name.
 * @param flags The flags that the command has, by name.
 * @throws {UsageError} If a flag is not among them, or lacks its value.
 */
export function parseFlags(args: string[], flags: Readonly<Record<string, Flag>>): Parsed {
  const options = Object.fromEntries(
    Object.entries(flags).map(([name, { type, multiple = false }]) => [name, { type, multiple }]),
  );
  let parsed;
  try {
    parsed = parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw misuse(error as Error & { code?: string }, args, flags);
  }
  const values = new Map<string, string | boolean | readonly string[]>();
  for (const [name, flag] of Object.entries(flags)) {
    const variable = Deno.env.get(variableOf(name)) || undefined;
    const value = parsed.values[name] ?? (variable && fromVariable(name, flag, variable));
    if (value !== undefined && value !== "") values.set(name, value as string | boolean | string[]);
  }
  return { values, positionals: parsed.positionals };
}

/** The error for a wrong call, with the nearest existing flag. */
function misuse(
  error: Error & { code?: string },
  args: readonly string[],
  flags: Readonly<Record<string, Flag>>,
): UsageError {
  const names = Object.keys(flags);
  const isKnown = (name: string): boolean => names.includes(name);
  const given = args.filter((arg) => arg.startsWith("-")).map((arg) => arg.split("=")[0]!);
  if (error.code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
    const unknown = given.find((arg) => !isKnown(arg.slice(2))) ?? given[0] ?? "";
    const nearest = closest(unknown.replace(/^-+/, ""), names);
    return new UsageError(`There is no flag ${unknown}: did you mean --${nearest}?`);
  }
  const bare = given.find((arg) => flags[arg.slice(2)]?.type === "string");
  const flag = error.message.match(/--([\w-]+)/)?.[1] ?? bare?.slice(2) ?? "";
  if (error.code === "ERR_PARSE_ARGS_INVALID_OPTION_VALUE" && isKnown(flag)) {
    return new UsageError(
      flags[flag]!.type === "string"
        ? `--${flag} needs a value, as in --${flag} ${flags[flag]!.value ?? "VALUE"}`
        : `--${flag} takes no value`,
    );
  }
  return new UsageError(error.message);
}

function fromVariable(name: string, { type, multiple }: Flag, text: string): unknown {
  if (multiple) return text.split(",").map((item) => item.trim()).filter(Boolean);
  return type === "boolean" ? isTrue(name, text) : text;
}

function isTrue(name: string, value: string): boolean {
  if (["1", "true"].includes(value)) return true;
  if (["0", "false"].includes(value)) return false;
  throw new UsageError(`${variableOf(name)} must be 1 or 0: current value is ${value}`);
}

/**
 * A flag that is a whole number.
 *
 * @throws {UsageError} If it is none, or lies outside the range.
 */
export function wholeNumber(
  name: string,
  text: string,
  { least, most }: { least: number; most: number },
): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most) {
    throw new UsageError(
      `--${name} must be a whole number from ${least} to ${most}: current value is ${text}`,
    );
  }
  return value;
}

/** Help is no wider than this. */
const WIDTH = 96;

/** The help of a command. */
export function helpOf(usage: string, flags: Readonly<Record<string, Flag>>): string {
  const rows = Object.entries(flags).map(([name, { value, help }]) => [
    `  --${name}${value ? ` ${value}` : ""}`,
    `${help} (${variableOf(name)})`,
  ]);
  const width = Math.max(...rows.map(([flag]) => flag!.length));
  const lines = rows.flatMap(([flag, help]) =>
    wrapped(help!, WIDTH - width - 2).map((line, index) =>
      `${(index === 0 ? flag! : "").padEnd(width)}  ${line}`
    )
  );
  return [`Usage: ${usage}`, "", ...lines].join("\n");
}

function wrapped(text: string, length: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line !== "" && line.length + word.length >= length) lines.push(word);
    else lines[lines.length - 1] = line === "" ? word : `${line} ${word}`;
  }
  return lines;
}
