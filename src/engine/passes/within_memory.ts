import { InfoflowError } from "../../errors.ts";
import { AllocationError } from "../gpu/allocate.ts";

/**
 * Turns an allocation error that even an empty cache does not avoid into one that says what to ask for instead.
 *
 * @throws {InfoflowError} MATRIX_TOO_LARGE in place of an `AllocationError`.
 */
export async function withinMemory<T>(compute: () => Promise<T>): Promise<T> {
  try {
    return await compute();
  } catch (error) {
    if (!(error instanceof AllocationError)) throw error;
    throw new InfoflowError(
      "MATRIX_TOO_LARGE",
      `${error.message}; ask with a shorter prompt, or for fewer matrices of it`,
    );
  }
}
