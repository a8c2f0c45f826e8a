import { type Table, tableFromIPC } from "@uwdata/flechette";
import type { Call } from "../calls/call.ts";
import { requestOf } from "../calls/request.ts";
import { failureOf, gone } from "./failure.ts";
import type { Problem } from "./graphql.ts";

/** An Arrow table, and the metadata of its schema. */
export interface ArrowTable {
  readonly table: Table;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/**
 * Fetches the table of a call.
 *
 * @throws {Failure} If there is none.
 */
export async function fetchTable(call: Call, signal: AbortSignal): Promise<ArrowTable> {
  const response = await fetch(requestOf(call), { signal }).catch((error) => {
    throw signal.aborted ? error : gone();
  });
  if (!response.ok) {
    const problem: Problem = await response.json().catch(() => ({}));
    const { status } = response;
    const { code = "", title = `The server answers ${status}`, ...details } = problem;
    const retryAfter = response.headers.get("retry-after");
    throw failureOf({ code, message: title, status, retryAfter, ...details });
  }
  const table = tableFromIPC(new Uint8Array(await response.arrayBuffer()));
  return { table, metadata: JSON.parse(table.schema.metadata!.get("infoflow")!) };
}
