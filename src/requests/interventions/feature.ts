import type { SaeInfo } from "../sae/feature_questions.ts";
import type { Intervention, InterventionInput } from "./intervention.ts";
import { refusal } from "./refuse.ts";
import { hasHeads, isSquare } from "./sites.ts";
import { float32Of } from "./vector.ts";

/**
 * The part of an intervention that is a feature's: ADD along its decoder row, at any site of vectors; or at the site that
 * the autoencoder reconstructs REPLACE its activation by an amount, ZERO it, or SCALE it, whose error stays as it is.
 *
 * @returns Undefined where nothing is changed.
 * @throws {InfoflowError} BAD_USER_INPUT if there is no such feature, or the action can't be.
 */
export function featureOf(
  which: number,
  { action, factor, feature, site, layer, heads, vector, fromIds }: InterventionInput,
  saes: readonly SaeInfo[],
): Pick<Intervention, "action" | "feature" | "factor"> | undefined {
  const { sae, index, amount } = feature!;
  const info = saes.find(({ name }) => name === sae);
  if (!info) {
    const names = saes.map(({ name }) => name).join(", ");
    throw refusal(
      which,
      `there is no autoencoder ${JSON.stringify(sae)}: there are ${names || "none"}`,
    );
  }
  const { config } = info;
  if (!Number.isInteger(index) || index < 0 || index >= config.features) {
    throw refusal(
      which,
      `feature.index must lie between 0 and ${config.features - 1}: current value is ${index}`,
    );
  }
  if (vector || fromIds || heads) {
    throw refusal(which, "a feature has its own vector: leave vector, from and heads out");
  }
  const given = amount ?? undefined;
  const needed = (): number => {
    if (given === undefined) throw refusal(which, `${action} of a feature needs feature.amount`);
    return float32Of(which, "feature.amount", given);
  };
  if (action === "ADD") {
    if (
      isSquare(site) || (hasHeads(site) && site !== "Z") || (site === "Z") !== (config.site === "Z")
    ) {
      throw refusal(which, `a decoder row of ${sae} is no vector of ${site}`);
    }
    const times = needed();
    return times === 0 ? undefined : { action, feature: { sae, index, amount: times } };
  }
  const own = config.site === "LN2_NORMALIZED" ? "MLP_OUT" : config.site;
  if (site !== own || layer !== config.layer) {
    throw refusal(
      which,
      `${action} of a feature is for the site of its autoencoder, ${own} of layer ${config.layer}: current site is ` +
        `${site} of layer ${layer}`,
    );
  }
  switch (action) {
    case "REPLACE":
      return { action, feature: { sae, index, amount: Math.max(0, needed()) } };
    case "ZERO":
      return { action: "REPLACE", feature: { sae, index, amount: 0 } };
    case "SCALE": {
      if (factor === undefined || factor === null) {
        throw refusal(which, "SCALE needs what to scale by: give factor");
      }
      const times = float32Of(which, "factor", factor);
      return times === 1
        ? undefined
        : { action, factor: times, feature: { sae, index, amount: 0 } };
    }
    default:
      throw refusal(
        which,
        `a feature can be added, replaced, zeroed or scaled: current action is ${action}`,
      );
  }
}
