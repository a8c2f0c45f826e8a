import type { Head, Heads } from "../flow_options.ts";
import type { Changed } from "./changes_in.ts";

/** The heads that are ablated at all positions and given no other output, in ascending order, each once. */
export function ablatedHeads({ ablate, interventions }: Changed, model: Heads): Head[] {
  const off = new Map<number, Head>();
  const add = (head: Head): void => {
    off.set(head.layer * model.heads + head.head, head);
  };
  ablate?.forEach(add);
  for (const { site, layer, heads, positions, action } of interventions ?? []) {
    if (site !== "Z") continue;
    for (const head of heads ?? Array.from({ length: model.heads }, (_, it) => it)) {
      if (action === "ZERO" && !positions) add({ layer, head });
      else if (action !== "ZERO") off.delete(layer * model.heads + head);
    }
  }
  return [...off].sort(([a], [b]) => a - b).map(([, head]) => head);
}
