import { parseArgs } from "node:util";

/** A flag of a command, given as `--name VALUE` or in the environment. */
export interface Flag {
  readonly type: "string" | "boolean";
  /** The value's name in the help; flags of type boolean have none. */
  readonly value?: string;
  readonly help: string;
  /** Whether it may be given more than once; in the environment, values are separated by commas. */
  readonly multiple?: boolean;
}

/** What a command was called with. */
export interface Parsed {
  readonly values: ReadonlyMap<string, string | boolean | readonly string[]>;
  readonly positionals: readonly string[];
}

/** Somebody called a command wrongly: they get the text, not a stack. */
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
    throw new UsageError((error as Error).message);
  }
  const values = new Map<string, string | boolean | readonly string[]>();
  for (const [name, flag] of Object.entries(flags)) {
    const variable = Deno.env.get(variableOf(name)) || undefined;
    const value = parsed.values[name] ?? (variable && fromVariable(name, flag, variable));
    if (value !== undefined && value !== "") values.set(name, value as string | boolean | string[]);
  }
  return { values, positionals: parsed.positionals };
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

/** The help of a command. */
export function helpOf(usage: string, flags: Readonly<Record<string, Flag>>): string {
  const rows = Object.entries(flags).map(([name, { value, help }]) => [
    `  --${name}${value ? ` ${value}` : ""}`,
    `${help} (${variableOf(name)})`,
  ]);
  const width = Math.max(...rows.map(([flag]) => flag!.length));
  return [`Usage: ${usage}`, "", ...rows.map(([flag, help]) => `${flag!.padEnd(width)}  ${help}`)]
    .join("\n");
}
