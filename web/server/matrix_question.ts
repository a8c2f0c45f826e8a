import type { Call } from "../calls/call.ts";
import { linkOf } from "../calls/link.ts";
import { requestOf } from "../calls/request.ts";
import type { Question } from "./answers.ts";
import { fetchMatrices, type Matrices } from "./matrix.ts";

/** Asks for the matrices of a call. */
export function matricesOf(call: Call): Question<Matrices> {
  return {
    key: `matrices ${linkOf(call)}`,
    kept: 8,
    fetch: (signal) => fetchMatrices(requestOf(call), signal),
  };
}
