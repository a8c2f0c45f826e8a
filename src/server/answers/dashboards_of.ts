import { InfoflowError } from "../../errors.ts";
import type { Dashboards } from "../dashboards/dashboards.ts";
import type { LoadedModel } from "./loaded_model.ts";
import type { Sae } from "./sae.ts";

/**
 * The dashboards of an autoencoder.
 *
 * @throws {InfoflowError} BAD_USER_INPUT if it has none.
 */
export function dashboardsOf(model: LoadedModel, { name }: Sae): Dashboards {
  const found = model.dashboards?.get(name);
  if (found) return found;
  throw new InfoflowError(
    "BAD_USER_INPUT",
    `Cannot show dashboards of ${name} as there are none: make them with ./run dashboards --sae ${name} TEXT OUT, ` +
      "then serve with --dashboards OUT",
    { sae: name },
  );
}
