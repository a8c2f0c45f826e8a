import { InfoflowError } from "../../errors.ts";
import { AllocationError } from "../gpu/allocate.ts";

/**
 * Says what to ask for instead, where the device has no room even with no other prompt on it.
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
