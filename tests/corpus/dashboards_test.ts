import assert from "node:assert/strict";
import { open } from "@infoflow/safetensors";
import { Corpus } from "../../src/corpus/input/corpus.ts";
import { survey } from "../../src/corpus/input/survey.ts";
import type { DashboardEngine } from "../../src/corpus/jobs/dashboards/dashboards_job.ts";
import { DashboardsJob } from "../../src/corpus/jobs/dashboards/dashboards_job.ts";
import { FeatureTally, GroupSamples } from "../../src/corpus/jobs/dashboards/tally.ts";
import { mergeShards } from "../../src/corpus/jobs/merge_shards.ts";
import { Progress } from "../../src/corpus/run/progress.ts";
import { runCorpus } from "../../src/corpus/run/run_corpus.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { createEngine } from "../../src/thread/create_engine.ts";
import { assertClose } from "../support/assert_close.ts";
import { FIXTURES, TINY } from "../support/fixtures.ts";
import { python } from "../support/python.ts";
import { Random } from "../support/random.ts";

const BOS = 330;

/** A run over 48 sequences of 32 random tokens, as `deno task dashboards` makes one. */
async function run(
  engine: Engine,
  { sae, input, directory, partRows = 100, shard = 1, shards = 1 }: {
    readonly sae: string;
    readonly input: string;
    readonly directory: string;
    readonly partRows?: number;
    readonly shard?: number;
    readonly shards?: number;
  },
): Promise<readonly string[]> {
  const { config } = engine.info.saes.find(({ name }) => name === sae)!;
  const dashboards: DashboardEngine = {
    features: config.features,
    bosId: BOS,
    read: (row) => {
      const ids = "ids" in row ? row.ids : [];
      return { prompt: null, ids, tokens: ids.map(String) };
    },
    find: (prompts) => {
      const lengths = prompts.map(({ length }) => length);
      return engine.ask("featureBatch", { ids: prompts.flat(), lengths, sae });
    },
    tables: (k) => engine.ask("featureTables", { ids: [0], sae, k }),
    textOf: String,
  };
  const options = { sae, column: undefined, top: 12, onePerPrompt: false };
  const job = new DashboardsJob(dashboards, options);
  const file = await survey(input, "jsonl");
  const { path, bytes, sha256, rows } = file;
  const { files } = await runCorpus(job, new Corpus([file]), {
    directory,
    identity: {
      version: 1,
      name: job.name,
      options: job.options,
      model: { name: "tiny", fingerprint: "1" },
      inputs: [{ path, bytes, sha256, rows }],
      rows,
      partRows,
    },
    device: "test",
    shard,
    shards,
    progress: new Progress({ show: () => {}, stop: () => {} }),
    isStopped: () => false,
  });
  return files;
}

Deno.test("dashboards of two autoencoders agree with SAEDashboard's values; shards are one run", async () => {
  await using file = await open(new URL("sae/corpus.safetensors", FIXTURES));
  const flat = new Int32Array((await file.read("ids")).buffer);
  const scratch = await Deno.makeTempDir();
  const input = `${scratch}/ids.jsonl`;
  const rows = Array.from({ length: 48 }, (_, n) => Array.from(flat.subarray(33 * n, 33 * n + 33)));
  await Deno.writeTextFile(input, rows.map((ids) => JSON.stringify({ ids }) + "\n").join(""));
  const saes = ["res-standard", "res-topk"].map((name) => {
    return { name, directory: new URL(`sae/${name}`, FIXTURES).pathname };
  });
  const engine = await createEngine({ directory: TINY, cacheBytes: 2 ** 24, saes });
  try {
    for (const { name: sae } of saes) {
      const directory = `${scratch}/${sae}`;
      assert.deepEqual(await run(engine, { sae, input, directory }), [
        "examples.parquet",
        "features.parquet",
      ]);
      const found = await python(
        `
import sys, json, pyarrow.parquet as pq
table = pq.read_table(sys.argv[1])
rows = table.to_pylist()
top = [[e for e in r["examples"] if e["group"] is None] for r in rows]
print(json.dumps({
  "density": [r["density"] for r in rows], "max": [r["max"] for r in rows], "mean": [r["mean"] for r in rows],
  "histogram": [r["histogram"] for r in rows], "top": [[e["activation"] for e in t] for t in top],
  "rows": [[e["prompt"] for e in t] for t in top], "positions": [[e["position"] for e in t] for t in top],
  "traces": all(e["activations"][e["positions"].index(e["position"])] == e["activation"] for r in rows for e in r["examples"]),
  "about": json.loads(table.schema.metadata[b"infoflow"])["positions"]}))
`,
        { args: [`${directory}/features.parquet`] },
      ) as Record<string, number[] & number[][]>;
      const tensor = async (name: string): Promise<Float32Array> =>
        await file.float32(`${sae}.${name}`);
      const density = await tensor("density");
      assertClose(found.density!, density, { atol: 1e-6 });
      const max = await tensor("max");
      const largest = Math.max(...max);
      // Ten times the reference's float32 error of 2.6e-6 of the largest.
      assertClose(found.max!, max, { atol: 2.6e-5 * largest });
      assertClose(found.mean!, await tensor("mean_active"), { atol: 2.6e-5 * largest });
      const values = await tensor("top_values");
      const places = new Int32Array((await file.read(`${sae}.top_sequence`)).buffer);
      const positions = new Int32Array((await file.read(`${sae}.top_position`)).buffer);
      const bars = new Int32Array((await file.read(`${sae}.histogram`)).buffer);
      let moved = 0;
      found.top!.forEach((top, f) => {
        (top as unknown as number[]).forEach((value, n) => {
          const at = 12 * f + n;
          assertClose([value], [values[at]!], { atol: 2.6e-5 * largest });
          // The same token right behind BOS is the same activation in any sequence: PyTorch takes any of them.
          const near = [values[at - 1], values[at + 1], value < 1e-4 ? value : undefined];
          if (near.some((other) => Math.abs((other ?? 1e9) - value) < 1e-4)) return;
          assert.equal(found.rows![f]![n], places[at]);
          assert.equal(found.positions![f]![n], positions[at]);
        });
        const histogram = found.histogram![f]! as unknown as number[];
        histogram.forEach((count, b) => moved += Math.abs(count - bars[50 * f + b]!));
      });
      assert(moved <= 8, `${moved} counts are in another bar`);
      assert.equal(found.traces, true);
      assert.equal(found.about, 48 * 32);
    }
    const [sae] = saes;
    const parts = { sae: sae!.name, input, partRows: 10 };
    await run(engine, { ...parts, directory: `${scratch}/one`, shard: 1, shards: 2 });
    await run(engine, { ...parts, directory: `${scratch}/two`, shard: 2, shards: 2 });
    await mergeShards(`${scratch}/all`, [`${scratch}/one`, `${scratch}/two`]);
    const [merged, whole] = await Promise.all(["all", sae!.name].map((name) =>
      python(
        `
import sys, pyarrow.parquet as pq
print(__import__("json").dumps(pq.read_table(sys.argv[1]).to_pylist()))
`,
        { args: [`${scratch}/${name}/features.parquet`] },
      )
    ));
    assert.deepEqual(merged, whole);
  } finally {
    engine.destroy();
    await Deno.remove(scratch, { recursive: true });
  }
});

Deno.test("largest places and samples don't depend on the order", () => {
  const random = new Random(9);
  const places = Array.from({ length: 300 }, (_, n) => ({
    prompt: Math.floor(n / 3),
    position: n % 3,
    activation: 1 + random.below(5),
  }));
  const of = (order: typeof places) => {
    const tally = new FeatureTally(1, { top: 7, onePerPrompt: true });
    for (const place of order) tally.add(0, place);
    const samples = new GroupSamples(tally.largest, 3);
    for (const place of order) samples.add(0, place);
    return [tally.top(0), [0, 1, 2, 3, 4].map((group) => samples.of(0, group))];
  };
  const [top, groups] = of(places);
  assert.deepEqual(of(places.toReversed()), [top, groups]);
  const prompts = (top as typeof places).map(({ prompt }) => prompt);
  assert.equal(new Set(prompts).size, 7);
  assert.deepEqual(prompts, prompts.toSorted((a, b) => a - b), "equal ones by prompt");
});
