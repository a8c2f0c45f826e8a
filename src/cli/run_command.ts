import { PICKLE_HELP } from "../checkpoints/sae/pickle_help.ts";
import { InfoflowError } from "../errors.ts";
import { VERSION } from "../version.ts";
import { printable } from "../server/observe/printable.ts";
import { UsageError } from "./flags.ts";

/**
 * Runs a command. What goes wrong is said in a line on stderr, without a stack, and the process ends with 1, or with 2
 * if the command was called wrongly.
 */
export async function runCommand(command: () => Promise<void>): Promise<void> {
  if (Deno.args.includes("--version")) return console.log(`infoflow ${VERSION}`);
  try {
    await command();
  } catch (error) {
    const { message } = error as Error;
    const code = error instanceof InfoflowError ? ` (${error.code})` : "";
    console.error(`error: ${inLines(message)}${code}`);
    if (error instanceof UsageError) console.error("Call with --help for what there is");
    Deno.exit(error instanceof UsageError ? 2 : 1);
  }
}

/** A message in one line, but for the lines of Python that are to be copied. */
function inLines(message: string): string {
  if (!message.endsWith(PICKLE_HELP)) return printable(message);
  return printable(message.slice(0, -PICKLE_HELP.length)) + PICKLE_HELP;
}
