import { InfoflowError } from "../../errors.ts";
import type { Architecture } from "../architecture/architecture.ts";
import type { SaeInfo } from "../sae/feature_questions.ts";
import { blockedRow } from "./blocked_rows.ts";
import { donorOf } from "./donor.ts";
import { featureOf } from "./feature.ts";
import { checkIndices, someOf } from "./indices.ts";
import {
  type Action,
  type Intervention,
  type InterventionInput,
  MOST_INTERVENTIONS,
} from "./intervention.ts";
import { refusal } from "./refuse.ts";
import { hasHeads, isSquare, SITES } from "./sites.ts";
import { float32Of, vectorOf } from "./vector.ts";

/** The run that is changed. */
export interface ChangedRun {
  readonly architecture: Pick<Architecture, "layers" | "heads" | "channels" | "headSize">;
  /** The prompt's tokens, as the model gets them. */
  readonly ids: readonly number[];
  /** Whether the first of them is BOS. */
  readonly beginsWithBos: boolean;
  /** The autoencoders that the model is served with; none without it. */
  readonly saes?: readonly SaeInfo[] | undefined;
}

/** The arguments of each action. */
const OWN = {
  factor: "SCALE",
  vector: "ADD",
  fromIds: "REPLACE",
  fromPositions: "REPLACE",
} as const satisfies Partial<Record<keyof InterventionInput, Action>>;

/**
 * Normalizes interventions so that equal lists compare equal, see {@linkcode Intervention}. Interventions that change
 * nothing are left out: SCALE by 1, ADD of zeros.
 *
 * @throws {InfoflowError} BAD_USER_INPUT, with `intervention`, the place of the first that can't be: a layer, head,
 *   position or source that does not exist, an argument that is missing or is another action's, a vector of another
 *   width or with numbers that are not finite, a donor of another length. With `layer`, `head` and `target` if a target
 *   would have nothing left to attend to; with `limit` if there are too many.
 */
export function canonicalInterventions(
  asked: readonly InterventionInput[],
  run: ChangedRun,
): Intervention[] {
  if (asked.length > MOST_INTERVENTIONS) {
    throw new InfoflowError(
      "BAD_USER_INPUT",
      `Cannot apply ${asked.length} interventions as the limit is ${MOST_INTERVENTIONS}`,
      { interventions: asked.length, limit: MOST_INTERVENTIONS },
    );
  }
  const { layers, heads } = run.architecture;
  const interventions = asked.flatMap((input, which) => canonical(input, which, run) ?? [])
    .sort((a, b) => a.layer - b.layer || SITES.indexOf(a.site) - SITES.indexOf(b.site))
    .map((it) => throughOneName(it, layers));
  const row = blockedRow(interventions, { layers, heads, tokens: run.ids.length });
  if (row) {
    throw new InfoflowError(
      "BAD_USER_INPUT",
      `Cannot block all sources of target ${row.target} in head ${row.head} of layer ${row.layer} as it would have ` +
        "nothing left to attend to: leave it one",
      { ...row },
    );
  }
  return withoutRepeats(interventions, heads);
}

function canonical(
  input: InterventionInput,
  which: number,
  run: ChangedRun,
): Intervention | undefined {
  const { site, action } = input;
  const { architecture: { layers, heads: H, channels, headSize }, ids, beginsWithBos } = run;
  const fail = (reason: string): never => {
    throw refusal(which, reason);
  };
  for (const [name, owner] of Object.entries(OWN)) {
    const isGiven = (input[name as keyof typeof OWN] ?? undefined) !== undefined;
    if (isGiven && action !== owner) {
      fail(`${name} belongs to ${owner}: current action is ${action}`);
    }
  }
  const [layer] = checkIndices(which, [input.layer], { name: "layer", count: layers });
  if (input.heads && !hasHeads(site)) fail(`${site} has no heads: leave heads out`);
  if (input.sources && !isSquare(site)) fail(`${site} has no sources: leave sources out`);
  if (action === "BLOCK" && site !== "SCORES") {
    fail(`BLOCK is for SCORES, before the softmax: current site is ${site}`);
  }
  if ((action === "MEAN" || action === "ADD") && isSquare(site)) {
    fail(`${action} is for vectors, and ${site} has numbers: scale, zero or replace them`);
  }
  const named = (
    name: "heads" | "positions" | "sources",
    count: number,
    fromEnd: boolean,
  ): number[] | undefined => {
    const list = input[name];
    return list ? checkIndices(which, list, { name, count, fromEnd }) : undefined;
  };
  const heads = named("heads", H, false);
  let positions: readonly number[] | undefined = named("positions", ids.length, true);
  const sources = named("sources", ids.length, true);
  const withoutBos = beginsWithBos && !input.withBos;
  const isOfFeature = (input.feature ?? undefined) !== undefined;
  if (!positions && withoutBos && (action === "MEAN" || action === "ADD" || isOfFeature)) {
    positions = ids.slice(1).map((_, at) => at + 1);
    if (positions.length === 0) return undefined;
  }
  let own: Partial<Intervention> = {};
  if (isOfFeature) {
    const changed = featureOf(which, input, run.saes ?? []);
    if (!changed) return undefined;
    own = changed;
  } else if (action === "SCALE") {
    if ((input.factor ?? undefined) === undefined) {
      fail("SCALE needs what to scale by: give factor");
    }
    const factor = float32Of(which, "factor", input.factor!);
    if (factor === 1) return undefined;
    own = { factor };
  } else if (action === "ADD") {
    const width = hasHeads(site)
      ? { width: headSize, heads: heads ?? Array.from({ length: H }, (_, head) => head) }
      : { width: channels, heads: undefined };
    const vector = vectorOf(which, input.vector, width);
    if (!vector) return undefined;
    own = { vector };
  } else if (action === "REPLACE") {
    own = donorOf(which, input, { ids, positions });
  } else if (action === "MEAN") {
    own = { meanFrom: withoutBos && ids.length > 1 ? 1 : 0 };
  }
  return {
    site,
    layer: layer!,
    ...some("heads", heads, H),
    ...some("positions", own.positions ?? positions, ids.length),
    ...some("sources", sources, ids.length),
    action: own.action ?? action,
    ...rest(own),
  };
}

/** The arguments of the action, in one order. */
function rest(
  { factor, feature, vector, from, fromPositions, meanFrom }: Partial<Intervention>,
): Partial<Intervention> {
  return {
    ...(factor !== undefined && { factor }),
    ...(feature && { feature }),
    ...(vector && { vector }),
    ...(from && { from }),
    ...(fromPositions && { fromPositions }),
    ...(meanFrom !== undefined && { meanFrom }),
  };
}

function some<Name extends string>(
  name: Name,
  indices: readonly number[] | undefined,
  count: number,
): { readonly [Key in Name]?: readonly number[] } {
  const list = indices && someOf(indices, count);
  return (list ? { [name]: list } : {}) as { readonly [Key in Name]?: readonly number[] };
}

/** The stream after a layer is the stream before the next one. */
function throughOneName(it: Intervention, layers: number): Intervention {
  if (it.site !== "RESID_POST" || it.layer === layers - 1) return it;
  return { ...it, site: "RESID_PRE", layer: it.layer + 1 };
}

/** Zeroing heads one by one, in a row and at the same positions, is zeroing them together. */
function withoutRepeats(interventions: readonly Intervention[], heads: number): Intervention[] {
  const result: Intervention[] = [];
  for (const it of interventions) {
    const last = result.at(-1);
    if (!last || !isSameZero(last, it)) {
      result.push(it);
      continue;
    }
    const { heads: _, ...all } = last;
    const both = last.heads && it.heads && someOf([...last.heads, ...it.heads], heads);
    const { site, layer, ...others } = all;
    result[result.length - 1] = { site, layer, ...(both && { heads: both }), ...others };
  }
  return result;
}

function isSameZero(a: Intervention, b: Intervention): boolean {
  return a.action === "ZERO" && b.action === "ZERO" && a.site === b.site && a.layer === b.layer &&
    a.positions?.join() === b.positions?.join() && a.sources?.join() === b.sources?.join();
}
