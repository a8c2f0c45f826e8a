import type { Head } from "../flow_options.ts";
import type { InterventionInput } from "./intervention.ts";

/** What `ablate` is short for: heads whose output is zero, at all positions; one intervention for each layer. */
export function ablations(heads: readonly Head[]): InterventionInput[] {
  return [...Map.groupBy(heads, ({ layer }) => layer)].map(([layer, ofLayer]) => ({
    site: "Z",
    layer,
    heads: ofLayer.map(({ head }) => head),
    action: "ZERO",
  }));
}
