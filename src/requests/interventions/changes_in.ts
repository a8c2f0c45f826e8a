import type { Architecture } from "../architecture/architecture.ts";
import type { Head } from "../flow_options.ts";
import { ablations } from "./ablations.ts";
import { canonicalInterventions } from "./canonical_interventions.ts";
import type { Intervention } from "./intervention.ts";
import { SITES } from "./sites.ts";

/** The interventions of a request's run. */
export interface Changed {
  /** Short for ZERO at Z. */
  readonly ablate?: readonly Head[] | null | undefined;
  /** In canonical form. */
  readonly interventions?: readonly Intervention[] | null | undefined;
}

/**
 * All changes of a request, in canonical form: ablated heads come before other changes of the same site.
 *
 * @throws {InfoflowError} BAD_USER_INPUT if a head does not exist.
 */
export function changesIn(
  { ablate, interventions }: Changed,
  { architecture, ids }: { readonly architecture: Architecture; readonly ids: readonly number[] },
): readonly Intervention[] {
  if (!ablate || ablate.length === 0) return interventions ?? [];
  const ablated = canonicalInterventions(ablations(ablate), {
    architecture,
    ids,
    beginsWithBos: false, // which matters to MEAN and ADD only
  });
  return [...ablated, ...interventions ?? []]
    .sort((a, b) => a.layer - b.layer || SITES.indexOf(a.site) - SITES.indexOf(b.site));
}

/** Whether anything is changed. */
export function isChanged({ ablate, interventions }: Changed): boolean {
  return (ablate?.length ?? 0) > 0 || (interventions?.length ?? 0) > 0;
}
