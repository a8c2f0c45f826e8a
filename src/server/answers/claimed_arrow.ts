import { type ArrowForm, DEFAULT_FORM } from "../arrow/form.ts";
import type { Answer } from "./answer.ts";
import { MatrixAnswer } from "./matrix_answer.ts";

/** Bytes of a number of a matrix: by itself, or as a row of layer, head, target, source and weight. */
const BYTES = { rows: 4, tensor: 4, tidy: 10 } as const;

/**
 * The Arrow of an answer, counted against its request's budget of bytes: a matrix before it is computed, a table, which
 * is small, afterwards.
 *
 * @throws {InfoflowError} MATRIX_TOO_LARGE if it is too large together with the request's others; OVERLOADED; what the
 *   answer throws.
 */
export async function claimedArrow(
  answer: Answer,
  form: ArrowForm = DEFAULT_FORM,
): Promise<Uint8Array<ArrayBuffer>> {
  const { engine } = answer.reading.model;
  if (answer instanceof MatrixAnswer) {
    await engine.claimBytes(BYTES[form.layout] * answer.size);
    return await answer.arrow(form);
  }
  const bytes = await answer.arrow(form);
  await engine.claimBytes(bytes.length);
  return bytes;
}
