import type { Log } from "./log.ts";

/** Writes an error that no client is shown, and returns the id to find it by. */
export function logError(error: unknown, log: Log): string {
  const id = crypto.randomUUID();
  const message = error instanceof Error ? error.stack ?? error.message : String(error);
  log.write("error", { id, message });
  return id;
}
