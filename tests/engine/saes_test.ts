import assert from "node:assert/strict";
import { readEncoderWeights } from "../../src/checkpoints/sae/encoder_weights.ts";
import { openSae } from "../../src/checkpoints/sae/open_sae.ts";
import { Saes, type SaeSource } from "../../src/engine/sae/saes.ts";
import { InfoflowError } from "../../src/errors.ts";
import { createEngine } from "../../src/thread/create_engine.ts";
import { FIXTURES, TINY } from "../support/fixtures.ts";
import { withGpu } from "../support/gpu.ts";

Deno.test("autoencoders share a budget: the least recently used goes, none is there twice", () =>
  withGpu(async ({ device }) => {
    await using file = await openSae(new URL("sae/res-standard", FIXTURES).pathname);
    const weights = await readEncoderWeights(file);
    const loads: string[] = [];
    const sources = ["a", "b", "c"].map((name): SaeSource => ({
      name,
      config: file.config,
      load: () => {
        loads.push(name);
        const shift = new Float32Array(file.config.inputs);
        return Promise.resolve({ weights, shift, output: undefined });
      },
    }));
    const alone = new Saes(device, sources, { budget: 1, epsilon: 1e-5 });
    await alone.get("a");
    const one = alone.bytes;
    await alone.get("b");
    assert.equal(alone.bytes, one, "one that is larger than the budget is there by itself");

    loads.length = 0;
    const saes = new Saes(device, sources, { budget: Math.ceil(2.5 * one), epsilon: 1e-5 });
    for (const name of ["a", "b", "a", "b", "a"]) await saes.get(name);
    assert.deepEqual(loads, ["a", "b"]);
    assert.equal(saes.bytes, 2 * one);
    await saes.get("c");
    assert.equal(saes.bytes, 2 * one);
    await saes.get("a");
    assert.deepEqual(loads, ["a", "b", "c"], "b was used longest ago");
    await saes.get("b");
    assert.deepEqual(loads, ["a", "b", "c", "b"]);
    await assert.rejects(saes.get("d"), /Cannot find an autoencoder "d": there are a, b, c/);
  }));

Deno.test("an autoencoder with a number that is not finite is refused when it is asked for", async () => {
  const source = new URL("sae/res-standard", FIXTURES).pathname;
  const directory = await Deno.makeTempDir({ prefix: "infoflow-" });
  try {
    await Deno.copyFile(`${source}/cfg.json`, `${directory}/cfg.json`);
    const bytes = await Deno.readFile(`${source}/sae_weights.safetensors`);
    new DataView(bytes.buffer).setFloat32(bytes.length - 4, NaN, true);
    await Deno.writeFile(`${directory}/sae_weights.safetensors`, bytes);
    const saes = [{ name: "broken", directory }];
    const engine = await createEngine({ directory: TINY, cacheBytes: 0, saes });
    try {
      const argument = { ids: [0, 1, 2], sae: "broken", limit: 1, scale: "RAW" } as const;
      await assert.rejects(engine.ask("features", argument), (error) => {
        assert(error instanceof InfoflowError);
        assert.equal(error.code, "BAD_USER_INPUT");
        assert.match(error.message, /^Cannot use the autoencoder broken: .* must be finite/);
        return true;
      });
    } finally {
      engine.destroy();
    }
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
