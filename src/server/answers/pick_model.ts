import { InfoflowError } from "../../errors.ts";
import type { LoadedModel } from "./loaded_model.ts";

/**
 * The model that a request asks.
 *
 * @param models All that there are, the default first.
 * @param name Its name; by default the default model.
 * @throws {InfoflowError} BAD_USER_INPUT, with the names that there are.
 */
export function pickModel(
  models: readonly LoadedModel[],
  name: string | null | undefined,
): LoadedModel {
  const found = name === null || name === undefined
    ? models[0]
    : models.find((model) => model.name === name);
  if (found) return found;
  const names = models.map((model) => model.name).join(", ");
  throw new InfoflowError(
    "BAD_USER_INPUT",
    `Cannot ask a model as its name must be one of ${names}: current value is ${name}`,
  );
}
