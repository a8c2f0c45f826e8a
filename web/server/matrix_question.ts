import type { Call } from "../calls/call.ts";
import { linkOf } from "../calls/link.ts";
import { requestOf } from "../calls/request.ts";
import type { Question } from "./answers.ts";
import { fetchMatrices, type Matrices } from "./matrix.ts";

/**
 * Asks for the matrices of a call.
 *
 * @param positions How many positions there are; they share cells so that no more than `call.args.cells` are left.
 */
export function matricesOf(call: Call, positions = 0): Question<Matrices> {
  const cells = Number(call.args["cells"] ?? Infinity);
  const pool = Math.max(1, Math.ceil(positions / cells));
  return {
    key: `matrices ${linkOf(call)}`,
    kept: 8,
    fetch: async (signal) => ({ ...await fetchMatrices(requestOf(call), signal), pool }),
  };
}
