import assert from "node:assert/strict";
import { join } from "node:path";
import { openCheckpoint } from "../../src/checkpoints/checkpoint.ts";
import { safetensors, type Tensor, tinyConfig, tinyTensors } from "../support/write_checkpoint.ts";

const INDEX = "model.safetensors.index.json";

interface Sharded {
  readonly shards: Map<string, Map<string, Tensor>>;
  /** `weight_map`, to be spoilt. */
  readonly map: Record<string, unknown>;
}

/** Writes the tiny model in three shards, after `spoil` had its way with them, for as long as `use` runs. */
async function withShards(
  spoil: (sharded: Sharded) => void,
  use: (directory: string) => Promise<void>,
  index: (map: unknown) => string = (map) => JSON.stringify({ metadata: {}, weight_map: map }),
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "infoflow-" });
  try {
    const shards: Sharded["shards"] = new Map();
    const map: Sharded["map"] = {};
    [...await tinyTensors()].forEach(([name, tensor], i) => {
      const shard = `model-0000${i % 3 + 1}-of-00003.safetensors`;
      if (!shards.has(shard)) shards.set(shard, new Map());
      shards.get(shard)!.set(name, tensor);
      map[name] = shard;
    });
    spoil({ shards, map });
    for (const [name, tensors] of shards) {
      await Deno.writeFile(join(directory, name), safetensors(tensors));
    }
    await Deno.writeTextFile(join(directory, INDEX), index(map));
    await Deno.writeTextFile(join(directory, "config.json"), JSON.stringify(await tinyConfig()));
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("openCheckpoint() reads a checkpoint in shards as it reads one in a file", () =>
  withShards(() => {}, async (directory) => {
    await using checkpoint = await openCheckpoint(directory);
    for (const [name, { dtype, shape, bytes }] of await tinyTensors()) {
      if (dtype !== "F32" || name.endsWith("attn.bias")) continue;
      const actual = await checkpoint.read({ name: name.replace("transformer.", ""), shape });
      assert.deepEqual(actual, new Float32Array(bytes.slice().buffer), name);
    }
  }));

Deno.test("openCheckpoint() prefers model.safetensors to an index beside it", () =>
  withShards(({ shards }) => {
    shards.set("model.safetensors", new Map([...shards.values()].flatMap((it) => [...it])));
    shards.delete("model-00002-of-00003.safetensors");
  }, async (directory) => {
    await using checkpoint = await openCheckpoint(directory);
    assert.equal(checkpoint.architecture.layers, 3);
  }));

const INEXACT: [name: string, change: (sharded: Sharded) => void][] = [
  [
    "lists what no shard has",
    ({ map }) => map["lm_head.weight"] = "model-00001-of-00003.safetensors",
  ],
  ["names another shard", ({ map, shards }) => {
    const [name] = shards.get("model-00001-of-00003.safetensors")!.keys();
    map[name!] = "model-00002-of-00003.safetensors";
  }],
  ["leaves a tensor out", ({ map }) => {
    for (const name of Object.keys(map)) if (name.endsWith("ln_f.bias")) delete map[name];
  }],
];
for (const [name, change] of INEXACT) {
  Deno.test(`openCheckpoint() reads what shards have where the index ${name}, as transformers does`, () =>
    withShards(change, async (directory) => {
      await using checkpoint = await openCheckpoint(directory);
      const values = await checkpoint.read(checkpoint.tensors.finalNorm.bias);
      assert(values.some((value) => value !== 0));
    }));
}

const SPOILT: [name: string, spoil: (sharded: Sharded) => void, message: RegExp][] = [
  [
    "a shard that is not there",
    ({ shards }) => shards.delete("model-00002-of-00003.safetensors"),
    /model-00002-of-00003\.safetensors is missing/,
  ],
  [
    "without a tensor that is needed",
    ({ shards }) => {
      for (const tensors of shards.values()) {
        for (const name of tensors.keys()) if (name.endsWith("ln_f.weight")) tensors.delete(name);
      }
    },
    /weights have no tensor ln_f\.weight: those that they have are called/,
  ],
  [
    "a path up",
    ({ map }) => map["wte.weight"] = "../x.safetensors",
    /same directory: .* "\.\.\/x\.safetensors"/,
  ],
  ["a path down", ({ map }) => map["wte.weight"] = "a/x.safetensors", /same directory/],
  ["an absolute path", ({ map }) => map["wte.weight"] = "/etc/x.safetensors", /same directory/],
  ["a Windows path", ({ map }) => map["wte.weight"] = "..\\x.safetensors", /same directory/],
  ["another kind of file", ({ map }) => map["wte.weight"] = "config.json", /safetensors file/],
  ["a hidden file", ({ map }) => map["wte.weight"] = ".safetensors", /safetensors file/],
  ["a number for a file", ({ map }) => map["wte.weight"] = 1, /"wte\.weight" is 1/],
  [
    "no tensors",
    ({ map }) => Object.keys(map).forEach((name) => delete map[name]),
    /weight_map must name 1 to .* tensors: current value is 0/,
  ],
];
for (const [name, spoil, message] of SPOILT) {
  Deno.test(`openCheckpoint() refuses an index with ${name}`, () =>
    withShards(spoil, (directory) => assert.rejects(() => openCheckpoint(directory), { message })));
}

const TEXTS: [text: string, message: RegExp][] = [
  ["", /not JSON/],
  ["{", /not JSON/],
  ["[]", /must have an object weight_map/],
  ["null", /must have an object weight_map/],
  ["{}", /must have an object weight_map/],
  ['{"weight_map": []}', /must have an object weight_map/],
  ['{"weight_map": {"__proto__": "../x.safetensors"}}', /same directory/],
];
for (const [text, message] of TEXTS) {
  Deno.test(`openCheckpoint() refuses ${JSON.stringify(text)} as an index`, () =>
    withShards(
      () => {},
      (directory) => assert.rejects(() => openCheckpoint(directory), { message }),
      () => text,
    ));
}

Deno.test("openCheckpoint() refuses a damaged shard with its name", () =>
  withShards(() => {}, async (directory) => {
    const path = join(directory, "model-00003-of-00003.safetensors");
    await Deno.truncate(path, (await Deno.stat(path)).size - 1);
    await assert.rejects(() => openCheckpoint(directory), {
      message:
        /model-00003-of-00003\.safetensors as it is damaged: .* \(MetadataIncompleteBuffer\)/,
    });
  }));
