import assert from "node:assert/strict";
import { fakeRun } from "./fake_run.ts";

Deno.test("HeadVis' tree: metrics, a file a head, prompts of each fifth; the same bytes for shards", async () => {
  const directory = await Deno.makeTempDir();
  const lines = Array.from({ length: 300 }, (_, i) => `row number ${i}`);
  const input = `${directory}/rows.txt`;
  await Deno.writeTextFile(input, lines.join("\n"));
  const run = { input, directory: `${directory}/a`, top: 10, definition: "headvis" as const };
  const { files } = await fakeRun(run);
  assert.equal(files.at(-1), "headvis/config.json");
  const read = async (name: string): Promise<string> =>
    await Deno.readTextFile(`${directory}/a/headvis/${name}`);
  const config = JSON.parse(await read("config.json"));
  assert.deepEqual([config.n_layers, config.n_heads, config.heads.length], [2, 3, 6]);
  assert.equal(config.head_data_pattern, "L{layer}H{head}.json");
  // Neuronpedia's loaders of such trees refuse a run without these, here or in `pipeline_config`.
  const flat = { ...config.pipeline_config, ...config };
  for (const key of ["model_name", "dataset_name", "dtype", "attn_implementation"]) {
    assert.equal(typeof flat[key], "string", key);
  }
  for (const key of ["n_sequences", "seq_len"]) assert(Number.isInteger(flat[key]), key);
  const scatter = JSON.parse(await read("scatter_data.json"));
  assert.equal(scatter.length, 6);
  for (const metric of config.metrics) assert(typeof scatter[0][metric] === "number", metric);
  const head = JSON.parse(await read("heads/L1H2.json"));
  const intervals = head.sequences.map((it: { interval: number }) => it.interval);
  assert.deepEqual(intervals, intervals.toSorted());
  assert(new Set(intervals).size > 1);
  assert.equal(intervals.filter((it: number) => it === 5).length, 10);
  assert.equal(head.histogram.bin_values.reduce((a: number, b: number) => a + b), 300);
  const [sequence] = head.sequences;
  assert.equal(sequence.tokens.length, sequence.seq_len);
  // Rows of weights that are even, 1/(i+1): of each of the first 8 targets all sources, of others 8.
  const targets = sequence.attention_indices.map((at: number) => Math.floor(at / sequence.seq_len));
  assert.equal(targets.filter((target: number) => target === 3).length, 4);
  assert.equal(targets.filter((target: number) => target === 11).length, 8);
  assert.equal(sequence.attention_values[1], 0.5);

  for (const shard of [2, 1]) {
    await fakeRun({ ...run, directory: `${directory}/s`, shard, shards: 2 });
  }
  const { mergeShards } = await import("../../src/corpus/jobs/merge_shards.ts");
  await mergeShards(`${directory}/s`, []);
  await fakeRun({ ...run, directory: `${directory}/s` }); // the tree is made of the prompts, read again
  const other = await Deno.readTextFile(`${directory}/s/headvis/heads/L1H2.json`);
  assert.equal(other, await read("heads/L1H2.json"));
  await Deno.remove(directory, { recursive: true });
});
