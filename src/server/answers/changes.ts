import type { Head } from "../../requests/flow_options.ts";
import { canonicalInterventions } from "../../requests/interventions/canonical_interventions.ts";
import type { Intervention, InterventionInput } from "../../requests/interventions/intervention.ts";
import { canonicalHeads } from "../../requests/methods.ts";
import type { LinkArguments } from "./answer.ts";
import { readBy, type Reading } from "./reading.ts";

/** An intervention as in `schema.graphql`: the donor may be a text. */
export interface InterventionArgument extends InterventionInput {
  readonly from?: string | null | undefined;
}

/** The arguments for changes to a run. */
export interface ChangeArguments {
  /** Heads that are ablated: short for ZERO at Z. */
  readonly ablate?: readonly Head[] | null | undefined;
  readonly interventions?: readonly InterventionArgument[] | null | undefined;
}

/** The interventions of a reading's run. */
export interface Changes {
  /** In ascending order; undefined for none. */
  readonly ablate: readonly Head[] | undefined;
  /** In canonical form; undefined for none. */
  readonly interventions: readonly Intervention[] | undefined;
  /** The same as arguments of a link. */
  readonly linkArguments: LinkArguments;
}

/**
 * Reads the changes to a run. Donors are tokenized as the prompt itself is, with BOS or without.
 *
 * @throws {InfoflowError} BAD_USER_INPUT as {@linkcode canonicalInterventions} and {@linkcode canonicalHeads} do; what
 *   reading a prompt throws.
 */
export function changesOf(
  reading: Reading,
  { ablate, interventions }: ChangeArguments,
): Changes {
  const { model, ids, hasBos } = reading;
  const { architecture, saes } = model.engine.info;
  const heads = canonicalHeads(ablate ?? [], architecture);
  const inputs = (interventions ?? []).map((it) => withIds(it, reading));
  const run = { architecture, ids, beginsWithBos: hasBos, saes };
  const canonical = canonicalInterventions(inputs, run);
  return {
    ablate: heads.length > 0 ? heads : undefined,
    interventions: canonical.length > 0 ? canonical : undefined,
    linkArguments: {
      ablate: heads.length > 0 ? heads : undefined,
      interventions: canonical.length > 0 ? interventions!.map(withoutNulls) : undefined,
    },
  };
}

function withIds(
  { from, ...input }: InterventionArgument,
  { model, source: { bos, specialTokens } }: Reading,
): InterventionInput {
  const { fromIds } = input;
  if (typeof from !== "string" && !fromIds) return input;
  const donor = readBy(model, { prompt: from, ids: fromIds, bos, specialTokens });
  return { ...input, fromIds: donor.ids };
}

function withoutNulls(it: InterventionArgument): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(it).filter(([, value]) =>
      value !== null && value !== undefined && value !== false
    ),
  );
}
