import { WEIGHT_TYPES, type WeightType } from "../requests/weight_type.ts";
import { type Flag, UsageError } from "./flags.ts";

/** The flag that says how the device keeps the layers' matrices. */
export const WEIGHTS_FLAG = {
  type: "string",
  value: WEIGHT_TYPES.join("|"),
  help: "how the device keeps the layers' matrices, f32 by default; f16 takes half the memory",
} as const satisfies Flag;

/**
 * Reads the flag.
 *
 * @throws {UsageError} If there is no such type.
 */
export function weightType(text: string | undefined): WeightType {
  const type = WEIGHT_TYPES.find((it) => it === (text ?? "f32"));
  if (type) return type;
  throw new UsageError(
    `--weights must be one of ${WEIGHT_TYPES.join(", ")}: current value is ${text}`,
  );
}
