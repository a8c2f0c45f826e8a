import type { Head } from "../flow_options.ts";
import type { InterventionInput } from "./intervention.ts";

/** The interventions that `ablate` stands for: heads with zero output at all positions, one for each layer. */
export function ablations(heads: readonly Head[]): InterventionInput[] {
  return [...Map.groupBy(heads, ({ layer }) => layer)].map(([layer, ofLayer]) => ({
    site: "Z",
    layer,
    heads: ofLayer.map(({ head }) => head),
    action: "ZERO",
  }));
}
