import type { Architecture } from "../../requests/architecture/architecture.ts";

/**
 * Checks that ids are a prompt of a model's.
 *
 * @throws {RangeError} If they are not.
 */
export function checkIds(
  ids: readonly number[],
  { fewest, architecture: { context, vocabulary } }: {
    readonly fewest: number;
    readonly architecture: Architecture;
  },
): void {
  if (ids.length < fewest || ids.length > context) {
    throw new RangeError(
      `Cannot run a prompt as it must have ${fewest} to ${context} tokens: current value is ${ids.length}`,
    );
  }
  const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabulary);
  if (wrong !== undefined) {
    throw new RangeError(
      `Cannot run a prompt as token ids must lie below ${vocabulary}: current value is ${wrong}`,
    );
  }
}
