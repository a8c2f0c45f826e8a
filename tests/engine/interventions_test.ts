// Interventions on the device: against float64, against the reference data, and identities that hold to the bit.
import assert from "node:assert/strict";
import { Kernel } from "../../src/engine/gpu/kernel.ts";
import { residualSites, type SiteOfLayer } from "../../src/engine/activations/kept_sites.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { createEngine } from "../../src/thread/create_engine.ts";
import { canonicalInterventions } from "../../src/requests/interventions/canonical_interventions.ts";
import type {
  Intervention,
  InterventionInput,
} from "../../src/requests/interventions/intervention.ts";
import { hasHeads, isSquare, type Site, SITES } from "../../src/requests/interventions/sites.ts";
import { changedRun } from "../reference/interventions.ts";
import { assertClose } from "../support/assert_close.ts";
import { TINY } from "../support/fixtures.ts";
import { readPair } from "../support/patching_pair.ts";
import { Random } from "../support/random.ts";
import { readModel } from "../support/read_model.ts";
import { readRun } from "../support/read_run.ts";

const model = await readModel(TINY);
const { layers: L, heads: H, channels: C, headSize: D } = model.architecture;
const pair = await readPair("T9");
const { clean, corrupted } = pair;
const T = clean.length;

const canonical = (inputs: readonly InterventionInput[], ids = clean): Intervention[] =>
  canonicalInterventions(inputs, { architecture: model.architecture, ids, beginsWithBos: true });

async function withEngine(
  use: (engine: Engine) => Promise<void>,
  cacheBytes = 2 ** 26,
): Promise<void> {
  const engine = await createEngine({ directory: TINY, cacheBytes });
  try {
    await use(engine);
  } finally {
    engine.destroy();
  }
}

const vectorOf = (length: number): number[] => {
  const random = new Random(length);
  return Array.from({ length }, () => Math.fround(random.uniform() - 0.5));
};

/** Every action at every site, on some heads and positions and on all. */
const CASES: InterventionInput[] = SITES.flatMap((site) => {
  const layer = 1;
  const some = {
    site,
    layer,
    positions: [3, -1],
    ...(hasHeads(site) && { heads: [0, 2] }),
    ...(isSquare(site) && { sources: [0, 2, 3] }),
  };
  const actions: Partial<InterventionInput>[] = [
    { action: "ZERO" },
    { action: "SCALE", factor: -1.5 },
    { action: "REPLACE", fromIds: corrupted },
  ];
  if (isSquare(site)) {
    return [
      ...actions.map((action) => ({ ...some, ...action }) as InterventionInput),
      ...(site === "SCORES" ? [{ ...some, action: "BLOCK" } as InterventionInput] : []),
      { site, layer: 2, action: "REPLACE", fromIds: corrupted },
    ];
  }
  const more: Partial<InterventionInput>[] = [
    { action: "MEAN" },
    { action: "ADD", vector: vectorOf(hasHeads(site) ? D : C) },
    { action: "REPLACE", fromIds: pair.programs[0]!.ids, fromPositions: [1, 4] },
  ];
  return [
    ...[...actions, ...more].map((action) => ({ ...some, ...action }) as InterventionInput),
    { site, layer: 2, action: "MEAN" },
    { site, layer: 0, action: "ADD", vector: vectorOf(hasHeads(site) ? H * D : C) },
  ];
});

Deno.test("every action at every site agrees with float64", () =>
  withEngine(async (engine) => {
    const keep = residualSites(L);
    for (const input of CASES) {
      const interventions = canonical([input]);
      const expected = changedRun(model, clean, interventions);
      const { sites, patterns } = await readRun(engine, clean, { interventions, keep });
      const at = (site: Site, layer: number): Float32Array =>
        sites[keep.findIndex((it) => it.site === site && it.layer === layer)]!;
      for (let layer = 0; layer < L; layer++) {
        const { PATTERN, RESID_PRE, RESID_MID, RESID_POST } = expected[layer]!;
        const ours = patterns.subarray(layer * H * T * T, (layer + 1) * H * T * T);
        const pairs = [
          [ours, PATTERN],
          [at("RESID_PRE", layer), RESID_PRE],
          [at("RESID_MID", layer), RESID_MID],
          ...(layer === L - 1 ? [[at("RESID_PRE", L), RESID_POST] as const] : []),
        ] as const;
        for (const [a, b] of pairs) {
          // float32, streams of up to 40; patterns alone are within 5e-6. Measured: 9.5e-6 of 1 + |x|.
          assertClose(a, b, { atol: 2e-5, rtol: 2e-5 });
        }
      }
    }
  }));

Deno.test("several interventions in one run agree with patching/T9 and T14", () =>
  withEngine(async (engine) => {
    for (const name of ["T9", "T14"]) {
      const { programs, tensors } = await readPair(name);
      const all = tensors.get("programs.patterns")!;
      for (const [n, { ids, interventions: inputs }] of programs.entries()) {
        const interventions = canonical(inputs, [...ids]);
        const { patterns } = await readRun(engine, ids, { interventions });
        const expected = all.subarray(n * patterns.length, (n + 1) * patterns.length);
        // float32 costs 5e-6 on these pairs, its README says. Measured: 2.1e-6.
        assertClose(patterns, expected, { atol: 5e-5 });
      }
    }
  }));

Deno.test("a prompt's own values in their places change no byte, at any site", () =>
  withEngine(async (engine) => {
    const keep = residualSites(L);
    const plain = await readRun(engine, clean, { keep });
    for (const site of SITES) {
      for (const positions of [undefined, [4, 6]]) {
        const input = { site, layer: 1, positions, action: "REPLACE", fromIds: clean } as const;
        const changed = await readRun(engine, clean, { interventions: canonical([input]), keep });
        assert.deepEqual(changed.sites, plain.sites, site);
        assert.deepEqual(changed.patterns, plain.patterns, site);
      }
    }
  }));

const replace = (
  site: Site,
  more: Partial<InterventionInput> = {},
): InterventionInput => ({ site, layer: 1, action: "REPLACE", fromIds: corrupted, ...more });

/** Lists of interventions that come to the same, to the bit, wherever the first list is changed. */
const IDENTITIES: readonly (readonly [string, ...(readonly InterventionInput[])[]])[] = [
  ["q and k are the pattern", [replace("Q"), replace("K")], [replace("PATTERN")], [
    replace("SCORES"),
  ]],
  ["pattern and v are z", [replace("PATTERN"), replace("V")], [replace("Z")]],
  ["z of all heads at a position is attn_out there", [replace("Z", { positions: [5] })], [
    replace("ATTN_OUT", { positions: [5] }),
  ]],
  ["a row of scores is a row of the pattern", [replace("SCORES", { positions: [6], heads: [1] })], [
    replace("PATTERN", { positions: [6], heads: [1] }),
  ]],
  ["a layer's end is the next one's beginning", [replace("RESID_POST", { positions: [4] })], [
    replace("RESID_PRE", { layer: 2, positions: [4] }),
  ]],
];

for (const [name, ...lists] of IDENTITIES) {
  Deno.test(`to the bit: ${name}`, () =>
    withEngine(async (engine) => {
      const keep = residualSites(L).slice(-1);
      const ends: Float32Array[] = [];
      for (const list of lists) {
        const { sites } = await readRun(engine, clean, { interventions: canonical(list), keep });
        ends.push(sites[0]!);
      }
      for (const end of ends) assert.deepEqual(end, ends[0]);
    }));
}

Deno.test("all of the first stream from another prompt is that prompt's run, to the bit", () =>
  withEngine(async (engine) => {
    const keep = residualSites(L);
    const other = await readRun(engine, corrupted, { keep });
    const interventions = canonical([replace("RESID_PRE", { layer: 0 })]);
    const changed = await readRun(engine, clean, { interventions, keep });
    assert.deepEqual(changed.sites, other.sites);
    assert.deepEqual(changed.patterns, other.patterns);
    const last = canonical([replace("RESID_POST", { layer: L - 1 })]);
    const end = await readRun(engine, clean, { interventions: last, keep });
    assert.deepEqual(end.sites.at(-1), other.sites.at(-1));
    const plain = await readRun(engine, clean, { keep });
    assert.deepEqual(end.patterns, plain.patterns);
    assert.deepEqual(end.sites.slice(0, -1), plain.sites.slice(0, -1));
  }));

Deno.test("a changed run is the same, to the bit, whatever was known before", () =>
  withEngine(async (known) => {
    const keep: SiteOfLayer[] = [
      ...residualSites(L),
      { site: "Z", layer: 2 },
      {
        site: "MLP_OUT",
        layer: 1,
      },
      { site: "ATTN_OUT", layer: 0 },
      { site: "Q", layer: 2 },
    ];
    await readRun(known, clean, { keep });
    await readRun(known, corrupted, {});
    for (const site of SITES) {
      const input = replace(site, { positions: [3, -2] });
      const interventions = canonical([input]);
      const warm = await readRun(known, clean, { interventions, keep });
      assert.equal(warm.cacheHit, false);
      assert.equal((await readRun(known, clean, { interventions, keep })).cacheHit, true);
      await withEngine(async (fresh) => {
        // First its patterns alone, then the sites, from what the first run left.
        const { patterns } = await readRun(fresh, clean, { interventions });
        assert.deepEqual(patterns, warm.patterns);
        const cold = await readRun(fresh, clean, { interventions, keep });
        assert.deepEqual(cold.sites, warm.sites, site);
      });
    }
  }));

Deno.test("a site that is asked of a changed run later is what it would have been at once", () =>
  withEngine((engine) =>
    withEngine(async (forgetful) => {
      const z: SiteOfLayer[] = [{ site: "Z", layer: 1 }, { site: "MLP_OUT", layer: 2 }];
      for (const site of SITES.filter((it) => !isSquare(it))) {
        const vector = vectorOf(hasHeads(site) ? D : C);
        const interventions = canonical([{ site, layer: 1, action: "ADD", vector }]);
        const first = await readRun(engine, clean, { interventions, keep: residualSites(L) });
        const later = await readRun(engine, clean, { interventions, keep: z });
        assert.deepEqual([first.cacheHit, later.cacheHit], [false, false]);
        const { sites } = await readRun(forgetful, clean, { interventions, keep: z });
        assert.deepEqual(later.sites, sites, site);
      }
    }, 0)
  ));

Deno.test("random lists of interventions agree with float64, in the order of the computation", () =>
  withEngine(async (engine) => {
    const random = new Random(2024);
    const below = (count: number): number => Math.floor(random.uniform() * count);
    const keep = residualSites(L).slice(-1);
    for (let round = 0; round < 60; round++) {
      // Few layers and positions, so that they meet.
      const inputs = Array.from({ length: 1 + below(4) }, (): InterventionInput => {
        const input = CASES[below(CASES.length)]!;
        const positions = random.uniform() < 0.5 ? undefined : [4 + below(3), 8].slice(below(2));
        const isMapped = input.fromPositions !== undefined;
        return { ...input, layer: 1 + below(2), ...(!isMapped && { positions }) };
      });
      const interventions = canonical(inputs);
      if (interventions.length === 0) continue;
      const expected = changedRun(model, clean, interventions);
      const { sites, patterns } = await readRun(engine, clean, { interventions, keep });
      const what = JSON.stringify(inputs.map(({ vector: _, ...input }) => input));
      try {
        // float32, as above. Measured: below 1e-5 of 1 + |x|.
        assertClose(sites[0]!, expected[L - 1]!.RESID_POST, { atol: 5e-5, rtol: 5e-5 });
        const all = expected.flatMap(({ PATTERN }) => [...PATTERN]);
        assertClose(patterns, all, { atol: 5e-5 });
      } catch (cause) {
        throw new Error(what, { cause });
      }
    }
  }));

Deno.test("a changed run of a cached prompt computes the layers and rows that it moves, and no others", () =>
  withEngine(async (engine) => {
    const keep = residualSites(L);
    await readRun(engine, clean, { keep });
    const costs = async (input: InterventionInput): Promise<number> => {
      const interventions = canonical([input]);
      await readRun(engine, clean, { interventions, keep }); // compiles
      await readRun(engine, corrupted, { keep });
      const rows: number[] = [];
      const { dispatch } = Kernel.prototype;
      const { setPipeline } = GPUComputePassEncoder.prototype;
      let count = 0;
      Kernel.prototype.dispatch = function (pass, groups, work) {
        count = (work as { rows?: number }).rows ?? 0;
        return dispatch.call(this, pass, groups, work);
      };
      GPUComputePassEncoder.prototype.setPipeline = function (pipeline) {
        if (/^norm/.test(pipeline.label)) rows.push(count);
        return setPipeline.call(this, pipeline);
      };
      try {
        const again = canonical([{ ...input, action: "SCALE", factor: 0.5 }]);
        const { cacheHit } = await readRun(engine, clean, { interventions: again, keep });
        assert.equal(cacheHit, false);
      } finally {
        Kernel.prototype.dispatch = dispatch;
        GPUComputePassEncoder.prototype.setPipeline = setPipeline;
      }
      return rows.reduce((sum, count) => sum + count, 0) / 2; // two norms a layer
    };
    const change = { action: "ZERO", layer: 1 } as const;
    assert.equal(await costs({ ...change, site: "MLP_OUT" }), T * (L - 1));
    assert.equal(await costs({ ...change, site: "Z", positions: [6] }), (T - 6) * (L - 1));
    assert.equal(await costs({ ...change, site: "K", layer: 0, positions: [-1] }), L);
    assert.equal(await costs({ ...change, site: "RESID_POST", layer: L - 1 }), 0);
  }));
