/** GPT-2 with interventions, in float64 and in plain loops. */
import type { Intervention } from "../../src/requests/interventions/intervention.ts";
import { reachOf } from "../../src/requests/interventions/reach.ts";
import { isSquare, type Site } from "../../src/requests/interventions/sites.ts";
import type { HostModel } from "../support/read_model.ts";
import { ACTIVATIONS, add, linear, norm } from "./gpt2.ts";

/** A layer's sites as they are after their interventions: (T, C), heads side by side, or (H, T, T). */
export type Sites = Readonly<Record<Site, Float64Array>>;

/**
 * Runs a prompt with interventions in their canonical form; donors and means come from plain runs, and so do the layers
 * below the first that is changed.
 */
export function changedRun(
  model: HostModel,
  ids: readonly number[],
  interventions: readonly Intervention[] = [],
): Sites[] {
  const { architecture, weights } = model;
  const { channels: C, headSize: D, heads: H, layers, epsilon, scales, activation } = architecture;
  const T = ids.length;
  const [wte, wpe] = [weights.get("wte.weight")!, weights.get("wpe.weight")!];
  let x: Float64Array = Float64Array.from(
    { length: T * C },
    (_, i) => wte[ids[Math.floor(i / C)]! * C + i % C]! + wpe[i]!,
  );
  const firstChanged = interventions.length > 0 ? reachOf(interventions).layer : 0;
  return Array.from({ length: layers }, (_, layer) => {
    if (layer < Math.min(firstChanged, layers - 1)) {
      const sites = plainRun(model, ids)[layer]!;
      x = sites.RESID_POST;
      return sites;
    }
    const of = (name: string): ArrayLike<number> => weights.get(`h.${layer}.${name}`)!;
    const normed = (name: string, input: ArrayLike<number>): Float64Array =>
      norm(input, { gain: of(`${name}.weight`), bias: of(`${name}.bias`), epsilon });
    const apply = (name: string, input: ArrayLike<number>): Float64Array =>
      linear(input, of(`${name}.weight`), of(`${name}.bias`));
    const at = (site: Site, value: Float64Array): Float64Array => {
      for (const it of interventions) {
        if (it.site === site && it.layer === layer) value = changed(model, ids, { it, value });
      }
      return value;
    };
    const part = (all: Float64Array, n: number): Float64Array =>
      Float64Array.from(
        { length: T * C },
        (_, i) => all[Math.floor(i / C) * 3 * C + n * C + i % C]!,
      );

    const RESID_PRE = at("RESID_PRE", x);
    const qkv = apply("attn.c_attn", normed("ln_1", RESID_PRE));
    const [Q, K, V] = [at("Q", part(qkv, 0)), at("K", part(qkv, 1)), at("V", part(qkv, 2))];
    const scores = new Float64Array(H * T * T).fill(-Infinity);
    for (let h = 0; h < H; h++) {
      for (let i = 0; i < T; i++) {
        for (let j = 0; j <= i; j++) {
          let sum = 0;
          for (let d = h * D; d < (h + 1) * D; d++) sum += Q[i * C + d]! * K[j * C + d]!;
          scores[(h * T + i) * T + j] = sum * scales[layer]!;
        }
      }
    }
    const SCORES = at("SCORES", scores);
    const PATTERN = at("PATTERN", softmaxRows(SCORES, T));
    const mixed = new Float64Array(T * C);
    for (let c = 0; c < C; c++) {
      for (let i = 0; i < T; i++) {
        const row = (Math.floor(c / D) * T + i) * T;
        for (let j = 0; j <= i; j++) mixed[i * C + c]! += PATTERN[row + j]! * V[j * C + c]!;
      }
    }
    const Z = at("Z", mixed);
    const ATTN_OUT = at("ATTN_OUT", apply("attn.c_proj", Z));
    const RESID_MID = at("RESID_MID", add(RESID_PRE, ATTN_OUT));
    const hidden = ACTIVATIONS[activation](apply("mlp.c_fc", normed("ln_2", RESID_MID)));
    const MLP_OUT = at("MLP_OUT", apply("mlp.c_proj", hidden));
    const RESID_POST = x = at("RESID_POST", add(RESID_MID, MLP_OUT));
    return { RESID_PRE, Q, K, V, SCORES, PATTERN, Z, ATTN_OUT, RESID_MID, MLP_OUT, RESID_POST };
  });
}

const plainRuns = new WeakMap<HostModel, Map<string, Sites[]>>();

/** The run of a prompt without interventions, made once. */
export function plainRun(model: HostModel, ids: readonly number[]): Sites[] {
  let runs = plainRuns.get(model);
  if (!runs) plainRuns.set(model, runs = new Map());
  const key = ids.join();
  if (!runs.has(key)) runs.set(key, changedRun(model, ids));
  return runs.get(key)!;
}

function changed(
  model: HostModel,
  ids: readonly number[],
  { it, value: before }: { it: Intervention; value: Float64Array },
): Float64Array {
  const { channels: C, headSize: D, heads: H } = model.architecture;
  const T = ids.length;
  const value = before.slice();
  const positions = it.positions ?? ids.map((_, position) => position);
  const heads = it.heads ?? Array.from({ length: H }, (_, head) => head);
  const donor = it.from && plainRun(model, it.from)[it.layer]![it.site];
  const own = it.meanFrom === undefined ? undefined : plainRun(model, ids)[it.layer]![it.site];
  if (isSquare(it.site)) {
    for (const h of heads) {
      for (const i of positions) {
        for (const j of it.sources ?? ids.keys()) {
          if (j > i) continue; // nothing comes from later positions
          const cell = (h * T + i) * T + j;
          if (it.action === "ZERO") value[cell] = 0;
          else if (it.action === "BLOCK") value[cell] = -Infinity;
          else if (it.action === "REPLACE") value[cell] = donor![cell]!;
          else if (value[cell] !== -Infinity) value[cell]! *= it.factor!; // what is blocked stays so
        }
      }
    }
    return value;
  }
  const hasHeads = ["Q", "K", "V", "Z"].includes(it.site);
  const channels = hasHeads
    ? heads.flatMap((h) => Array.from({ length: D }, (_, d) => h * D + d))
    : Array.from({ length: C }, (_, c) => c);
  positions.forEach((i, n) =>
    channels.forEach((c, m) => {
      const cell = i * C + c;
      if (it.action === "ZERO") value[cell] = 0;
      else if (it.action === "SCALE") value[cell]! *= it.factor!;
      else if (it.action === "ADD") value[cell]! += it.vector![m]!;
      else if (it.action === "REPLACE") value[cell] = donor![(it.fromPositions?.[n] ?? i) * C + c]!;
      else {
        let sum = 0;
        for (let j = it.meanFrom!; j < T; j++) sum += own![j * C + c]!;
        value[cell] = sum / (T - it.meanFrom!);
      }
    })
  );
  return value;
}

function softmaxRows(scores: Float64Array, T: number): Float64Array {
  const pattern = new Float64Array(scores.length);
  for (let at = 0; at < scores.length; at += T) {
    const row = scores.subarray(at, at + T);
    const largest = row.reduce((a, b) => Math.max(a, b));
    const exponents = row.map((score) => Math.exp(score - largest));
    const sum = exponents.reduce((a, b) => a + b);
    pattern.set(exponents.map((exponent) => exponent / sum), at);
  }
  return pattern;
}
