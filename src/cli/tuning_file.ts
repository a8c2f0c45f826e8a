import { join } from "node:path";

/** Where the choice of kernels is kept, in the user's cache directory; nowhere if the user has none. */
export function tuningFile(): string | undefined {
  const home = Deno.env.get("HOME");
  const caches = Deno.env.get("XDG_CACHE_HOME") || (home && join(home, ".cache")) ||
    Deno.env.get("LOCALAPPDATA");
  return caches ? join(caches, "infoflow", "tuning.json") : undefined;
}
