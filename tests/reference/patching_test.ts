// The first link of the chain for interventions: reference data, computed in float64 and stored as float32, against the
// float64 reference here.
import assert from "node:assert/strict";
import { canonicalInterventions } from "../../src/requests/interventions/canonical_interventions.ts";
import type {
  Intervention,
  InterventionInput,
} from "../../src/requests/interventions/intervention.ts";
import { assertClose } from "../support/assert_close.ts";
import { TINY } from "../support/fixtures.ts";
import {
  expectedGrid,
  type PatchingPair,
  readPair,
  REFERENCE_GRIDS,
} from "../support/patching_pair.ts";
import { readModel } from "../support/read_model.ts";
import { changedRun, plainRun } from "./interventions.ts";
import { metricsOf, patchGrid } from "./patching.ts";
import { logits } from "./predictions.ts";

/** Half a unit in the last place of a float32, and what float64 sums differ by: 3e-14 here, of metrics up to 10. */
const STORED = { atol: 1e-12, rtol: 1.2e-7 };

const model = await readModel(TINY);
const { architecture, weights } = model;
const { layers: L, heads: H, channels: C } = architecture;
const canonical = (ids: readonly number[], inputs: readonly InterventionInput[]): Intervention[] =>
  canonicalInterventions(inputs, { architecture, ids, beginsWithBos: true });

/** Checks every case of a tensor (metrics, cases): its metrics with these interventions. */
function check(
  pair: PatchingPair,
  name: string,
  { ids, cases }: { ids: readonly number[]; cases: readonly (readonly InterventionInput[])[] },
): void {
  const expected = pair.tensors.get(name)!;
  assert.equal(expected.length, 4 * cases.length, name);
  const found = cases.map((inputs) =>
    metricsOf(model, pair, { ids, interventions: canonical(ids, inputs) })
  );
  const actual = [0, 1, 2, 3].flatMap((metric) => found.map((of) => of[metric]!));
  assertClose(actual, expected, STORED);
}

for (const name of ["T9", "T14"]) {
  const pair = await readPair(name);
  const { clean, corrupted, tensors } = pair;
  const T = clean.length;
  const all = <Case>(count: number, of: (index: number) => Case): Case[] =>
    Array.from({ length: count }, (_, index) => of(index));

  Deno.test(`float64 runs and metrics of both prompts agree with patching/${name}`, () => {
    for (const [key, ids] of [["clean", clean], ["corrupted", corrupted]] as const) {
      const end = plainRun(model, ids).at(-1)!.RESID_POST;
      assertClose(logits(architecture, weights, end), tensors.get(`${key}_logits`)!, STORED);
    }
    const both = [clean, corrupted].map((ids) => metricsOf(model, pair, { ids }));
    const plain = [0, 1, 2, 3].flatMap((metric) => both.map((of) => of[metric]!));
    assertClose(plain, tensors.get("plain")!, STORED);
  });

  Deno.test(`float64 grids of patches agree with patching/${name}`, () => {
    const ways = [["denoise", corrupted, clean], ["noise", clean, corrupted]] as const;
    // Both ways where prompts are short; they are the same code.
    for (const [way, base, donor] of name === "T9" ? ways : ways.slice(0, 1)) {
      for (const grid of REFERENCE_GRIDS) {
        const actual = patchGrid(model, { ...pair, base, donor, ...grid });
        assertClose(actual, expectedGrid(pair, way, grid), STORED);
      }
    }
  });

  Deno.test(`float64 ablation, knockout and steering agree with patching/${name}`, () => {
    const head = (at: number, more: Pick<InterventionInput, "action" | "withBos">) => [
      { site: "Z", layer: Math.floor(at / H), heads: [at % H], ...more } as const,
    ];
    const zero = all(L * H, (at) => head(at, { action: "ZERO" }));
    check(pair, "ablate.head_zero", { ids: clean, cases: zero });
    const mean = all(L * H, (at) => head(at, { action: "MEAN", withBos: true }));
    check(pair, "ablate.head_mean", { ids: clean, cases: mean });
    const others = all(L * H, (at) => head(at, { action: "MEAN" }));
    check(pair, "ablate.head_mean_no_bos", { ids: clean, cases: others });
    for (const site of ["ATTN_OUT", "MLP_OUT"] as const) {
      for (const action of ["ZERO", "MEAN"] as const) {
        const cases = all(L, (layer) => [{ site, layer, action, withBos: true }]);
        check(pair, `ablate.${site}_${action}`.toLowerCase(), { ids: clean, cases });
      }
    }
    const block = { site: "SCORES", action: "BLOCK" } as const;
    const windows = [[0], [1], [2], [0, 1], [1, 2], [0, 1, 2]];
    const blocked = (positions: (source: number) => number[]) =>
      windows.flatMap((window) =>
        all(T, (source) => {
          const targets = positions(source);
          if (targets.length === 0) return [];
          return window.map((layer) => ({
            ...block,
            layer,
            positions: targets,
            sources: [source],
          }));
        })
      );
    check(pair, "knockout.to_last", { ids: clean, cases: blocked(() => [T - 1]) });
    const later = (source: number): number[] => all(T - 1 - source, (n) => source + 1 + n);
    check(pair, "knockout.to_all_later", { ids: clean, cases: blocked(later) });
    const oneHead = all(L * H * T, (at) => [{
      ...block,
      layer: Math.floor(at / (H * T)),
      heads: [Math.floor(at / T) % H],
      positions: [-1],
      sources: [at % T],
    }]);
    check(pair, "knockout.to_last_by_head", { ids: clean, cases: oneHead });
    const vectors = tensors.get("steer.vectors")!;
    const steered = all(L * 3 * 7, (at) => {
      const layer = Math.floor(at / 21);
      const scale = [-2, -1, -0.5, 0, 0.5, 1, 2][at % 7]!;
      const place = [{ withBos: true }, {}, { positions: [-1] }][Math.floor(at / 7) % 3]!;
      const vector = Array.from(vectors.subarray(layer * C, (layer + 1) * C), (v) => scale * v);
      return [{ site: "RESID_PRE", layer, action: "ADD", vector, ...place } as const];
    });
    check(pair, "steer.steered", { ids: corrupted, cases: steered });
  });

  Deno.test(`float64 programs of interventions agree with patching/${name}`, () => {
    const cases = pair.programs.map(({ ids, interventions }) => ({
      ids,
      interventions: canonical(ids, interventions),
    }));
    const found = cases.map((it) => metricsOf(model, pair, it));
    const metrics = [0, 1, 2, 3].flatMap((metric) => found.map((of) => of[metric]!));
    assertClose(metrics, tensors.get("programs.metrics")!, STORED);
    const patterns = cases.flatMap(({ ids, interventions }) =>
      changedRun(model, ids, interventions).flatMap(({ PATTERN }) => Array.from(PATTERN))
    );
    assertClose(patterns, tensors.get("programs.patterns")!, STORED);
  });
}
