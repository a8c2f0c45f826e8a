import assert from "node:assert/strict";
import { open } from "@infoflow/safetensors";
import { Corpus } from "../../src/corpus/input/corpus.ts";
import { survey } from "../../src/corpus/input/survey.ts";
import type { DashboardEngine } from "../../src/corpus/jobs/dashboards/dashboard_engine.ts";
import { DashboardsJob } from "../../src/corpus/jobs/dashboards/dashboards_job.ts";
import type { FeatureRows } from "../../src/corpus/jobs/dashboards/feature_rows.ts";
import { placeLabels, readLabels } from "../../src/corpus/jobs/dashboards/labels.ts";
import { PairTable } from "../../src/corpus/jobs/dashboards/pair_table.ts";
import { PlaceSketches } from "../../src/corpus/jobs/dashboards/place_sketches.ts";
import { readTables, tablesTable } from "../../src/corpus/jobs/dashboards/tables_file.ts";
import { FeatureTally } from "../../src/corpus/jobs/dashboards/tally.ts";
import { mergeShards } from "../../src/corpus/jobs/merge_shards.ts";
import { ParquetFile } from "../../src/corpus/output/parquet_file.ts";
import { writeParquet } from "../../src/corpus/output/write_parquet.ts";
import { Progress } from "../../src/corpus/run/progress.ts";
import { runCorpus } from "../../src/corpus/run/run_corpus.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { Dashboards } from "../../src/server/dashboards/dashboards.ts";
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
        "list.parquet",
      ]);
      await agreesWithItsList(directory);
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
    await Deno.writeTextFile(`${scratch}/labels.json`, `{"3": "three"}`);
    await placeLabels(`${scratch}/one`, [`${scratch}/labels.json`], 8);
    await mergeShards(`${scratch}/all`, [`${scratch}/one`, `${scratch}/two`]);
    await agreesWithItsList(`${scratch}/all`);
    const [merged, whole] = await Promise.all(["all", sae!.name].map((name) =>
      python(
        `
import sys, pyarrow.parquet as pq
print(__import__("json").dumps(pq.read_table(sys.argv[1]).to_pylist()))
`,
        { args: [`${scratch}/${name}/features.parquet`] },
      )
    ));
    const rowsOf = (table: unknown) => table as { label: string | null }[];
    assert.deepEqual(rowsOf(merged).map(({ label }) => label).slice(2, 5), [null, "three", null]);
    rowsOf(merged)[3]!.label = null;
    assert.deepEqual(merged, whole);
  } finally {
    engine.destroy();
    await Deno.remove(scratch, { recursive: true });
  }
});

/** What a list shows is the same from `list.parquet` and, where there is none, from `features.parquet`. */
async function agreesWithItsList(directory: string): Promise<void> {
  const shown = async () => {
    const dashboards = new Dashboards(directory);
    const [index, tokens] = await Promise.all([dashboards.index(), dashboards.tokens()]);
    return Array.from({ length: index.size }, (_, feature) => {
      return { ...index.summary(feature), tokens: tokens.of(feature) };
    });
  };
  const listed = await shown();
  assert(listed.some(({ tokens, promoted }) => tokens.length > 1 && promoted.length > 1));
  const path = `${directory}/list.parquet`;
  await Deno.rename(path, `${path}.away`);
  assert.deepEqual(await shown(), listed);
  await Deno.rename(`${path}.away`, path);
}

/** Random features at random places, most of them rarely: by prompt and position. */
function randomPlaces(features: number): FeatureRows {
  const random = new Random(9);
  const rows: [prompt: number, position: number, feature: number, activation: number][] = [];
  for (let prompt = 0; prompt < 150; prompt++) {
    for (let position = 1; position <= 40; position++) {
      for (let feature = 0; feature < features; feature++) {
        if (random.below(8 + 8 * feature) > 4) continue;
        rows.push([prompt, position, feature, 1 + random.below(5)]);
      }
    }
  }
  return {
    prompts: Float64Array.from(rows, ([prompt]) => prompt),
    positions: Int32Array.from(rows, ([, position]) => position),
    features: Int32Array.from(rows, ([, , feature]) => feature),
    activations: Float32Array.from(rows, ([, , , activation]) => activation),
  };
}

Deno.test("what is counted of a feature is what sorting all of its places finds", () => {
  const { prompts, positions, features, activations } = randomPlaces(1);
  const places = Array.from(features, (_, n) => {
    return { prompt: prompts[n]!, position: positions[n]!, activation: activations[n]! };
  });
  assert(places.length > 1000);
  for (const onePerPrompt of [false, true]) {
    const tally = new FeatureTally(0, 5, { top: 7, eachGroup: 3, onePerPrompt });
    for (const { prompt, position, activation } of places) tally.add(prompt, position, activation);
    const examples = tally.examples();
    const sorted = places.toSorted((a, b) =>
      b.activation - a.activation || a.prompt - b.prompt || a.position - b.position
    );
    const seen = new Set<number>();
    const largest = sorted.filter(({ prompt }) => {
      if (onePerPrompt && seen.has(prompt)) return false;
      return seen.add(prompt);
    });
    const top = examples.filter(({ group }) => group === null);
    assert.deepEqual(
      top.map(({ prompt, position, activation }) => ({ prompt, position, activation })),
      largest.slice(0, 7),
    );
    // Activations are 1 to 5: a group each, and the last of ten bars each.
    for (let group = 0; group < 5; group++) {
      const drawn = examples.filter((it) => it.group === group);
      assert.deepEqual(drawn.map(({ activation }) => activation), [1, 2, 3].fill(group + 1));
      const count = places.filter(({ activation }) => activation === group + 1).length;
      assert.equal(tally.histogram[10 * group + 9], count);
    }
    for (const { prompt, positions, activations } of examples) {
      const own = places.filter((it) => it.prompt === prompt);
      assert.deepEqual(positions, own.map(({ position }) => position));
      assert.deepEqual(activations, own.map(({ activation }) => activation));
    }
  }
});

Deno.test("features that are on together: the table is exact, sketches where they can be, in any order", () => {
  const F = 60;
  const rows = randomPlaces(F);
  const places = Array.from({ length: F }, () => new Set<number>());
  rows.features.forEach((feature, n) =>
    places[feature]!.add(1000 * rows.prompts[n]! + rows.positions[n]!)
  );
  const counts = Float64Array.from(places, ({ size }) => size);
  const jaccard = (a: number, b: number): number => {
    const both = places[a]!.intersection(places[b]!).size;
    return both / (counts[a]! + counts[b]! - both);
  };
  const table = new PairTable(F);
  table.add(rows);
  const sketches = new PlaceSketches(F, 41);
  sketches.add(rows);
  const k = sketches.sample;
  assert.deepEqual([F, 24_576, 131_072].map((F) => new PlaceSketches(F, 128).sample), [
    256,
    256,
    64,
  ]);
  const turned = new PlaceSketches(F, 41);
  turned.add({
    prompts: rows.prompts.toReversed(),
    positions: rows.positions.toReversed(),
    features: rows.features.toReversed(),
    activations: rows.activations.toReversed(),
  });
  let exact = 0;
  let estimated = 0;
  for (let feature = 0; feature < F; feature++) {
    const expected = Array.from({ length: F }, (_, other) => other)
      .filter((other) => other !== feature && jaccard(feature, other) > 0)
      .map((other) => ({ feature: other, jaccard: jaccard(feature, other) }))
      .sort((a, b) => b.jaccard - a.jaccard || a.feature - b.feature)
      .slice(0, 10);
    assert.deepEqual(table.of(feature, counts), expected);
    const found = sketches.of(feature, counts);
    assert.deepEqual(turned.of(feature, counts), found);
    for (const { feature: other, jaccard: j } of found) {
      const truth = jaccard(feature, other);
      if (counts[feature]! <= k && counts[other]! <= k) {
        exact++;
        assert.equal(j, truth);
      } else {
        estimated++;
        // Five times the standard error that is promised, of some hundred estimates.
        assertClose([j], [truth], { atol: 5 * Math.sqrt(truth * (1 - truth) / k) });
      }
    }
  }
  assert(exact > 20 && estimated > 20, `${exact} exact, ${estimated} estimated`);
});

Deno.test("labels: texts by number, and Neuronpedia's explanations as JSON and JSONL", async () => {
  const scratch = await Deno.makeTempDir();
  const out = `${scratch}/out`;
  try {
    const write = async (name: string, text: string): Promise<string> => {
      const path = `${scratch}/${name}`;
      const body = new Response(text).body!;
      const isZipped = name.endsWith(".gz");
      await Deno.writeFile(path, isZipped ? body.pipeThrough(new CompressionStream("gzip")) : body);
      return path;
    };
    const entry = (index: string, description: string, layer = "8-res-jb"): string =>
      JSON.stringify({ modelId: "gpt2-small", layer, index, description, typeName: "oai" });
    const lines = (...entries: string[]): string => entries.map((it) => `${it}\n`).join("");
    await write("batch-0.jsonl.gz", lines(entry("3", " verbs of giving"), entry("1", "commas")));
    await write("batch-1.jsonl.gz", lines(entry("3", "another of the same"), entry("2", "")));
    await placeLabels(out, [`${scratch}/batch-*.jsonl.gz`], 8);
    assert.deepEqual([...await readLabels(out)], [[1, "commas"], [3, "verbs of giving"]]);
    await placeLabels(out, [await write("all.json", `[${entry("0", "dates")}]`)], 8);
    assert.deepEqual([...await readLabels(out)], [[0, "dates"]]);
    await placeLabels(out, [await write("own.json", `{"7": "mine"}`)], 8);
    assert.deepEqual([...await readLabels(out)], [[7, "mine"]]);
    assert.deepEqual([...await readLabels(scratch)], []);
    const refused: readonly [name: string, text: string, message: RegExp][] = [
      ["a.json", "{", /it must be JSON/],
      ["b.json", "7", /neither texts by number nor explanations/],
      ["c.json", `{"8": "x"}`, /numbered from 0 to 7: current value is 8/],
      [
        "d.jsonl",
        lines(entry("1", "x"), entry("2", "y", "9-res-jb")),
        /one autoencoder: there are/,
      ],
      ["e.jsonl", `{"index": 1}`, /`index` and `description`: line 1 has not/],
      ["f.json", `{"1": 2}`, /must be a text/],
    ];
    for (const [name, text, message] of refused) {
      await assert.rejects(placeLabels(out, [await write(name, text)], 8), message);
    }
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
});

Deno.test("a Parquet file that is written by batches: whole when it is closed, none when it is given up or can't be", async () => {
  const scratch = await Deno.makeTempDir();
  try {
    const batchOf = (...features: number[]) => {
      const weight = [{ id: 1, token: " a", logit: 2 }];
      const table = {
        promoted: weight,
        suppressed: weight,
        nearest: features.map((feature) => ({ feature, cosine: 0.5 })),
      };
      return tablesTable([table], { name: "test" });
    };
    const { schema } = batchOf();
    const file = new ParquetFile(`${scratch}/a.parquet`, schema);
    await file.write(batchOf(1, 2).batch);
    await file.write(batchOf(3).batch);
    assert.deepEqual(await Array.fromAsync(Deno.readDir(scratch), ({ name }) => name), [
      "a.parquet.partial",
    ]);
    assert.equal(await file.close(), (await Deno.stat(`${scratch}/a.parquet`)).size);
    const read = await Array.fromAsync(readTables(`${scratch}/a.parquet`));
    const near = read.map(({ nearest }) => nearest.map(({ feature }) => feature));
    assert.deepEqual(near, [[1, 2], [3]]);

    const given = new ParquetFile(`${scratch}/b.parquet`, schema);
    await given.write(batchOf(1).batch);
    await given.abort();
    const nowhere = new ParquetFile(`${scratch}/none/c.parquet`, schema);
    await assert.rejects(async () => {
      for (let n = 0; n < 9; n++) await nowhere.write(batchOf(n).batch);
      await nowhere.close();
    }, Deno.errors.NotFound);
    const breaking = async function* () {
      yield batchOf(1).batch;
      await Promise.reject(new Error("no more of it"));
    };
    await assert.rejects(writeParquet(`${scratch}/d.parquet`, schema, breaking()), /no more of it/);
    const names = await Array.fromAsync(Deno.readDir(scratch), ({ name }) => name);
    assert.deepEqual(names, ["a.parquet"]);
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
});
