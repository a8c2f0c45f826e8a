// Patches of a model of GPT-2 small's shape, on sampled cells, against float64.
import { createEngine } from "../../src/thread/create_engine.ts";
import { canonicalInterventions } from "../../src/requests/interventions/canonical_interventions.ts";
import { PATCH_METRICS } from "../../src/requests/patching.ts";
import { metricsOf } from "../reference/patching.ts";
import { assertClose } from "../support/assert_close.ts";
import { readReference } from "../support/fixtures.ts";
import { gpt2SmallShape } from "../support/gpt2_small.ts";
import { readModel } from "../support/read_model.ts";

/**
 * Ten times the float32 errors that the reference's README states for this shape; a probability is off by its share of
 * what its logarithm is. Measured: 1.5e-5, 9e-6, 2.3e-6, 3e-6.
 */
const TOLERANCE = { LOGIT_DIFF: 3e-4, LOG_PROB: 1.2e-4, PROB: 1.2e-4, KL: 2.3e-4 };

/** In the last layers: those below are the plain run's. */
const CELLS = [
  { site: "RESID_PRE", by: "LAYER_POSITION", layer: 10, position: 9 },
  { site: "MLP_OUT", by: "LAYER_POSITION", layer: 11, position: 13 },
  { site: "Z", by: "LAYER_HEAD_POSITION", layer: 10, head: 7, position: 11 },
  { site: "K", by: "LAYER_HEAD", layer: 11, head: 3 },
] as const;

Deno.test("patches at GPT-2 small's shape agree with float64 on sampled cells", async () => {
  const directory = await gpt2SmallShape();
  const model = await readModel(directory);
  const { architecture } = model;
  const { ids: clean } = await readReference("gpt2-small-shape/T14");
  const corrupted = clean.map((id, position) => position === 9 ? (id + 12_345) % 50_000 : id);
  const engine = await createEngine({ directory, cacheBytes: 2 ** 28 });
  try {
    const { top } = await engine.ask("nextTokens", { ids: clean, k: 2 });
    const [answer, against] = top.ids as [number, number];
    const expected = CELLS.map(({ site, layer, ...at }) => {
      const interventions = canonicalInterventions([{
        site,
        layer,
        ...("head" in at && { heads: [at.head] }),
        ...("position" in at && { positions: [at.position] }),
        action: "REPLACE",
        fromIds: clean,
      }], { architecture, ids: corrupted, beginsWithBos: true });
      return metricsOf(model, { clean, answer, against }, { ids: corrupted, interventions });
    });
    for (const [index, { site, by, layer, ...at }] of CELLS.entries()) {
      for (const [which, metric] of PATCH_METRICS.entries()) {
        const { values } = await engine.ask("patching", {
          ids: clean,
          corrupted,
          answer,
          against,
          site,
          by,
          layers: [layer],
          direction: "DENOISE",
          metric,
          limit: 600,
        });
        const head = "head" in at ? at.head : 0;
        const cell = "position" in at ? head * clean.length + at.position : head;
        assertClose([values[cell]!], [expected[index]![which]!], { atol: TOLERANCE[metric] });
      }
    }
  } finally {
    engine.destroy();
  }
});
