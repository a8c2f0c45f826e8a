import type { Log } from "./log.ts";

/** Logs an internal error, and returns the id that the client gets. */
export function logError(error: unknown, log: Log): string {
  const id = crypto.randomUUID();
  const message = error instanceof Error ? error.stack ?? error.message : String(error);
  log.write("error", { id, message });
  return id;
}
