import assert from "node:assert/strict";
import type { Engine } from "../../src/engine/engine.ts";
import { createEngine } from "../../src/thread/create_engine.ts";
import {
  EXAMPLES,
  PartialStatistics,
} from "../../src/requests/head_statistics/partial_statistics.ts";
import { headStatistics } from "../reference/head_statistics.ts";
import {
  finishStatistics,
  HEADVIS_METRICS,
  STATISTICS,
} from "../../src/requests/head_statistics/statistics.ts";
import { assertClose } from "../support/assert_close.ts";
import { countReadBytes } from "../support/count_gpu_calls.ts";
import { readCorpus } from "../support/corpus.ts";
import { BUNDLED } from "../support/fixtures.ts";

type Prompts = Awaited<ReturnType<typeof readCorpus>>["accepted"];

async function sumsOf(engine: Engine, prompts: Prompts): Promise<PartialStatistics> {
  const partial = new PartialStatistics(engine.info.architecture, EXAMPLES);
  const ids = prompts.flatMap((prompt) => prompt.ids);
  const lengths = prompts.map((prompt) => prompt.ids.length);
  const sums = await engine.ask("headStatistics", { ids, lengths });
  partial.add(prompts.map(({ index, ids }) => ({ row: index, ids })), sums);
  return partial;
}

Deno.test("statistics of the corpus are those of the reference, at most 10 KB a prompt leave the device", async () => {
  const engine = await createEngine({ directory: BUNDLED, cacheBytes: 16 * 2 ** 20 });
  const { accepted, statistics } = await readCorpus();
  const before = engine.cacheStats;
  const partial = await sumsOf(engine, accepted);
  assert.deepEqual(engine.cacheStats.entries, before.entries); // people's prompts stay
  assert.deepEqual([partial.targets, partial.inductionTargets], [...statistics.get("targets")!]);
  const heads = finishStatistics(partial);
  for (const name of Object.keys(STATISTICS)) {
    const stored = statistics.get(name) ??
      statistics.get(name.replace(/_(mean|variance)$/, ".$1"))!;
    // Ten times the errors of float32 in NumPy, as the reference data have them. Measured: 5e-7, of distances 4e-6.
    const atol = tolerance(name);
    assertClose(heads.map(({ values }) => values[name]!), stored, { atol });
  }
  const profiles = {
    by_distance: heads.flatMap(({ byDistance }) => byDistance),
    by_distance_no_bos: heads.flatMap(({ byDistanceNoBos }) => byDistanceNoBos),
    flow_by_distance: heads.filter(({ head }) => head === 0).flatMap((it) => it.flowByDistance),
  };
  for (const [name, values] of Object.entries(profiles)) {
    assertClose(values as number[], statistics.get(name)!, { atol: 1e-6 });
  }
  const counts = [...partial.distances, ...partial.distancesNoBos];
  assert.deepEqual(counts, [...statistics.get("distance_counts")!]);
  for (const name of ["examples", "examples_by_prompt"] as const) {
    const lists = heads.map((it) => name === "examples" ? it.examples : it.examplesByPrompt);
    const weights = lists.flatMap((list) => list.map(({ weight }) => weight));
    assertClose(weights, statistics.get(`${name}.weight`)!, { atol: 5e-6 });
    const gaps = statistics.get(`${name}.gap`)!;
    lists.forEach((list, n) => {
      if (gaps[n]! <= 1e-5) return;
      const places = list.flatMap(({ prompt, target, source }) => [prompt, target, source]);
      const expected = statistics.get(`${name}.where`)!.subarray(n * 15, n * 15 + 15);
      assert.deepEqual(places, [...expected], `${name} of head ${n}`);
    });
  }
  assert(gapsAbove(statistics.get("examples.gap")!, 1e-5) > 40);

  // Any split, any order, the same bytes; prompts that another request left in the cache, too.
  const whole = JSON.stringify(partial);
  await engine.flow(accepted[3]!.ids, { byLayer: true, aggregation: "MEAN", bos: "DROP" });
  const split = new PartialStatistics(engine.info.architecture, EXAMPLES);
  for (const [first, end] of [[150, 198], [0, 7], [90, 150], [7, 90]] as const) {
    split.merge(await sumsOf(engine, accepted.slice(first, end).toReversed()));
  }
  assert.equal(JSON.stringify(split), whole);

  const bytes = await countReadBytes(async () => {
    await sumsOf(engine, accepted);
  });
  assert(bytes / accepted.length < 10_000, `${bytes / accepted.length} bytes a prompt`);

  // HeadVis' definitions, in float64 on the patterns that the engine gives.
  const some = accepted.filter((_, at) => at % 5 === 0);
  const prompts = [];
  for (const { index, ids } of some) {
    prompts.push({ index, ids, patterns: await engine.patterns(ids) });
  }
  const reference = headStatistics(prompts, engine.info.architecture);
  const headvis = finishStatistics(await sumsOf(engine, some));
  for (const name of HEADVIS_METRICS) {
    const actual = headvis.map(({ values }) => values[name]!);
    // Distances are rounded to 2^-16, their squares too. Measured: 3e-6, of the variance 2e-4.
    assertClose(actual, reference.get(name)!, { atol: 1e-3 });
  }
  engine.destroy();
});

function tolerance(name: string): number {
  if (name === "distance_variance") return 3e-5;
  if (name === "distance_no_bos") return 4e-5;
  if (name === "distance_mean") return 8e-6;
  if (name.startsWith("top_is")) return 34 / 3433; // float32 may swap weights nearer than 1e-5
  return name.endsWith("variance") ? 1e-6 : 5e-6;
}

function gapsAbove(gaps: Float32Array, least: number): number {
  return gaps.filter((gap) => gap > least).length;
}
