import assert from "node:assert/strict";
import type { Site } from "../../src/requests/interventions/sites.ts";
import { type PatchedRun, patchesOf, rowLayers } from "../../src/requests/patch.ts";
import type { PatchGrid } from "../../src/requests/patching.ts";

/** Two prompts that differ everywhere from `first` on, or at `differing` alone. */
function pair(tokens: number, first: number, differing = (i: number) => i >= first): PatchedRun {
  const ids = Array.from({ length: tokens }, (_, i) => i);
  return { layers: 12, heads: 12, ids, from: ids.map((i) => differing(i) ? 100 + i : i), first };
}

function work(site: Site, by: PatchGrid, run: PatchedRun): number {
  return rowLayers(patchesOf({ site, by }, run), run);
}

Deno.test("only the rows are counted that patches move, as the reference's README counts them", () => {
  const [early, late] = [pair(15, 1), pair(15, 9)];
  // 32,400 and 388,800 row-layers if each run were run whole.
  assert.equal(work("RESID_PRE", "LAYER_POSITION", early), 7098);
  assert.equal(work("RESID_PRE", "LAYER_POSITION", late), 1458);
  // README's 73,164 and 15,516, less what even it counts of the last layer's rows that nothing reads.
  assert.equal(work("Z", "LAYER_HEAD_POSITION", early), 73_164 - 12 * 13);
  assert.equal(work("Z", "LAYER_HEAD_POSITION", late), 15_516 - 12 * 5);
  assert.equal(work("Z", "LAYER_HEAD", early), 11_232);
  assert.equal(work("Z", "LAYER_HEAD", late), 4896);
  // Where one token differs, no other position of the embeddings does.
  const one = pair(15, 9, (i) => i === 9);
  const patches = patchesOf({ site: "RESID_PRE", by: "LAYER_POSITION" }, one);
  assert.equal(patches.filter(({ layer }) => layer === 0).length, 1);
});

Deno.test("patches that can't change what comes next are not run", () => {
  const run = pair(15, 9);
  const cells = patchesOf({ site: "MLP_OUT", by: "LAYER_POSITION" }, run);
  assert.equal(cells.length, 11 * 6 + 1);
  assert.deepEqual(cells.at(-1), {
    cell: 12 * 15 - 1,
    site: "MLP_OUT",
    layer: 11,
    position: 14,
    action: "REPLACE",
  });
  const same = { ...run, from: run.ids, first: 15 };
  for (const by of ["LAYER", "LAYER_POSITION"] as const) {
    assert.deepEqual(patchesOf({ site: "RESID_MID", by }, same), []);
  }
});

Deno.test("the stream after a layer is patched where it is read", () => {
  const run = { ...pair(4, 1), layers: 2 };
  const patches = patchesOf({ site: "RESID_POST", by: "LAYER_POSITION" }, run);
  assert.deepEqual(patches.map(({ site, layer, position }) => [site, layer, position]), [
    ["RESID_PRE", 1, 1],
    ["RESID_PRE", 1, 2],
    ["RESID_PRE", 1, 3],
    ["RESID_MID", 1, 3],
  ]);
});
