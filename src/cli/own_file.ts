import { join } from "node:path";

/** What is remembered between runs: the choice of kernels, which files have been checked, fingerprints of models. */
export type OwnFile = "tuning.json" | "verified.json" | "fingerprints.json";

/** The path of one of our files in the user's cache directory; undefined if the user has none. */
export function ownFile(name: OwnFile): string | undefined {
  const home = Deno.env.get("HOME");
  const caches = Deno.env.get("XDG_CACHE_HOME") || (home && join(home, ".cache")) ||
    Deno.env.get("LOCALAPPDATA");
  return caches ? join(caches, "infoflow", name) : undefined;
}
