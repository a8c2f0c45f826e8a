// Activation patching on the device: the reference's grids, identities to the bit, and no row more than what moves.
import assert from "node:assert/strict";
import { createEngine } from "../../src/thread/create_engine.ts";
import { patchesOf, rowLayers } from "../../src/requests/patch.ts";
import { PATCH_METRICS, type PatchMetric } from "../../src/requests/patching.ts";
import type { Questions } from "../../src/engine/analyses/list.ts";
import { assertClose } from "../support/assert_close.ts";
import { TINY } from "../support/fixtures.ts";
import { recordWorkgroups } from "../support/record_workgroups.ts";
import { expectedGrid, readPair, REFERENCE_GRIDS } from "../support/patching_pair.ts";

const [L, H] = [3, 5];
const LIMIT = 600;
const engine = await createEngine({ directory: TINY, cacheBytes: 2 ** 24 });
Deno.test.afterAll(() => engine.destroy());

/** Ten times the float32 errors that the reference's README states. Measured: 6e-7, 9e-7, 1.1e-8, 5e-7. */
const TOLERANCE: Record<PatchMetric, number> = {
  LOGIT_DIFF: 2e-5,
  LOG_PROB: 2e-5,
  PROB: 1e-6,
  KL: 8e-6,
};

type Grid = Questions["patching"]["argument"];
const pairs = { T9: await readPair("T9"), T14: await readPair("T14") };

/** A grid of a pair; denoised, by logit difference, where nothing else is said. */
async function grid(
  name: keyof typeof pairs,
  options: Pick<Grid, "site" | "by"> & Partial<Grid>,
): Promise<Questions["patching"]["result"]> {
  const { clean: ids, corrupted, answer, against } = pairs[name];
  return await engine.ask("patching", {
    ids,
    corrupted,
    answer,
    against,
    direction: "DENOISE",
    metric: "LOGIT_DIFF",
    limit: LIMIT,
    ...options,
  });
}

for (const name of ["T9", "T14"] as const) {
  Deno.test(`all grids, both directions and all metrics agree with patching/${name}`, async () => {
    const plain = pairs[name].tensors.get("plain")!;
    for (const way of ["denoise", "noise"] as const) {
      for (const reference of REFERENCE_GRIDS) {
        const expected = expectedGrid(pairs[name], way, reference);
        const size = expected.length / PATCH_METRICS.length;
        for (const [at, metric] of PATCH_METRICS.entries()) {
          const direction = way === "denoise" ? "DENOISE" : "NOISE";
          const { site, by } = reference;
          const actual = await grid(name, { site, by, direction, metric });
          const tolerance = { atol: TOLERANCE[metric] };
          assertClose(actual.values, expected.subarray(at * size, (at + 1) * size), tolerance);
          assertClose([actual.clean, actual.corrupted], plain.slice(2 * at, 2 * at + 2), tolerance);
        }
      }
    }
  });
}

Deno.test("what says the same is the same to the bit", async () => {
  for (const name of ["T9", "T14"] as const) {
    const T = pairs[name].clean.length;
    const of = async (site: Grid["site"], by: Grid["by"] = "LAYER_POSITION") =>
      (await grid(name, { site, by })).values;
    const { clean, corrupted } = await grid(name, { site: "RESID_PRE", by: "LAYER" });
    const [cleanBits, corruptedBits] = [Math.fround(clean), Math.fround(corrupted)];
    const streams = await of("RESID_PRE", "LAYER");
    assert.deepEqual(Array.from(streams), new Array(L).fill(cleanBits), "the donor's run");
    const [pre, post] = [await of("RESID_PRE"), await of("RESID_POST")];
    assert.deepEqual(post.subarray(0, (L - 1) * T), pre.subarray(T));
    assert.equal(post.at(-1), cleanBits, "the last row is all that is read");
    assert.deepEqual(await of("Z"), await of("ATTN_OUT"));
    for (const by of ["LAYER_HEAD", "LAYER_HEAD_POSITION"] as const) {
      assert.deepEqual(await of("SCORES", by), await of("PATTERN", by));
    }
    // Nothing before the first difference moves, nor rows of the last layer that nothing reads.
    const first = pairs[name].clean.findIndex((id, at) => id !== pairs[name].corrupted[at]);
    for (const site of ["RESID_PRE", "K", "V", "Z", "MLP_OUT", "PATTERN"] as const) {
      const values = await of(site);
      for (let layer = 0; layer < L; layer++) {
        const row = values.subarray(layer * T, (layer + 1) * T);
        assert.deepEqual(Array.from(row.subarray(0, first)), new Array(first).fill(corruptedBits));
      }
      if (site === "Z" || site === "MLP_OUT" || site === "PATTERN") {
        const last = values.subarray((L - 1) * T, L * T - 1);
        assert(last.every((value) => value === corruptedBits), site);
      }
    }
  }
});

Deno.test("one batch or many, all layers or some: the same bytes", async () => {
  const whole = await grid("T14", { site: "Z", by: "LAYER_HEAD_POSITION" });
  for (const layers of [[0], [1], [2]]) {
    const part = await grid("T14", { site: "Z", by: "LAYER_HEAD_POSITION", layers });
    const size = whole.values.length / L;
    const expected = whole.values.subarray(layers[0]! * size, (layers[0]! + 1) * size);
    assert.deepEqual(part.values, expected);
  }
});

Deno.test("only rows that move are computed, and a prompt's worth for each of the two", async () => {
  const { clean, corrupted } = pairs.T9;
  const T = clean.length;
  const run = { layers: L, heads: H, ids: corrupted, from: clean, first: 4 };
  for (const { site, by } of REFERENCE_GRIDS) {
    const patches = patchesOf({ site, by }, run);
    const found = await recordWorkgroups("patched_attention", () => grid("T9", { site, by }));
    // A workgroup for each row and head.
    const rows = found.reduce((sum, [count]) => sum + count!, 0);
    // The base run and the donor run whole, but for one row each in the last layer.
    assert.equal(rows, rowLayers(patches, run) + 2 * ((L - 1) * T + 1), `${site} ${by}`);
  }
});

Deno.test("head effects agree with the reference's ablations", async () => {
  for (const name of ["T9", "T14"] as const) {
    const { clean: ids, answer, against, tensors } = pairs[name];
    const plain = tensors.get("plain")!;
    for (const [at, metric] of PATCH_METRICS.entries()) {
      for (
        const { tensor, action, meanFrom } of [
          { tensor: "head_zero", action: "ZERO", meanFrom: 0 },
          { tensor: "head_mean", action: "MEAN", meanFrom: 0 },
          { tensor: "head_mean_no_bos", action: "MEAN", meanFrom: 1 },
        ] as const
      ) {
        const { effects, baseline } = await engine.ask("headEffects", {
          ids,
          answer,
          against,
          metric,
          action,
          meanFrom,
          limit: LIMIT,
        });
        const expected = tensors.get(`ablate.${tensor}`)!.subarray(at * L * H, (at + 1) * L * H);
        const tolerance = { atol: TOLERANCE[metric] };
        assertClose([baseline], [plain[2 * at]!], tolerance);
        assertClose(effects.map((effect) => effect + baseline), expected, tolerance);
      }
    }
  }
});

Deno.test("what nobody waits for stops, and what would take too long is refused", async () => {
  const { clean: ids, corrupted, answer, against } = pairs.T14;
  const argument = {
    ids,
    corrupted,
    answer,
    against,
    direction: "DENOISE",
    metric: "LOGIT_DIFF",
    site: "Z",
    by: "LAYER_HEAD_POSITION",
    limit: LIMIT,
  } as const;
  let looks = 0;
  await assert.rejects(engine.ask("patching", argument, () => ++looks < 1), { code: "CANCELLED" });
  assert.equal(looks, 1);
  await assert.rejects(engine.ask("patching", { ...argument, limit: 0 }), (error) => {
    const { code, details } = error as { code?: string; details: Record<string, number> };
    assert.equal(code, "MATRIX_TOO_LARGE");
    assert(details.seconds! > 0 && details.rowLayers! > 0);
    return true;
  });
  assert.equal((await engine.ask("patching", argument)).cacheHit, false);
});
