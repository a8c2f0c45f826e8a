/**
 * Goes back to the directory that a command was called in, so that paths are relative to it: `deno task` and `./run`
 * go to the project's, and leave in INIT_CWD where they came from.
 */
export function goToCaller(): void {
  const caller = Deno.env.get("INIT_CWD");
  if (caller) Deno.chdir(caller);
}
