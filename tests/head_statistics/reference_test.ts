import assert from "node:assert/strict";
import { forward } from "../reference/gpt2.ts";
import { headStatistics } from "../reference/head_statistics.ts";
import { assertClose } from "../support/assert_close.ts";
import { readCorpus } from "../support/corpus.ts";
import { BUNDLED } from "../support/fixtures.ts";
import { readModel } from "../support/read_model.ts";

Deno.test("the float64 reference's statistics are those of the reference data", async () => {
  const { architecture, weights } = await readModel(BUNDLED);
  const { accepted, statistics } = await readCorpus();
  const prompts = accepted.map(({ index, ids }) => {
    const layers = forward(architecture, weights, ids);
    const patterns = new Float64Array(layers.length * layers[0]!.patterns.length);
    layers.forEach((layer, l) => patterns.set(layer.patterns, l * layer.patterns.length));
    return { index, ids, patterns };
  });
  const actual = headStatistics(prompts, architecture);
  for (const [name, expected] of statistics) {
    if (/gap|near|targets|counts/.test(name)) continue;
    // They are stored as float32; places are equal. Measured: half a unit of float32.
    const tolerance = name.endsWith("where") ? { atol: 0 } : { atol: 1e-9, rtol: 6e-8 };
    assertClose(actual.get(name)!, expected, tolerance);
  }
  assert.equal(statistics.size, 31);
});
