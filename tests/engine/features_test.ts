import assert from "node:assert/strict";
import { open } from "@infoflow/safetensors";
import type { Engine } from "../../src/engine/engine.ts";
import { FeatureEncoder } from "../../src/engine/sae/feature_encoder.ts";
import { openSae } from "../../src/checkpoints/sae/open_sae.ts";
import { createEngine } from "../../src/thread/create_engine.ts";
import { assertClose } from "../support/assert_close.ts";
import {
  BUNDLED,
  FIXTURES,
  readReference,
  type Reference,
  SAES,
  TINY,
} from "../support/fixtures.ts";
import { lossEffect, readSaeWeights, run } from "../reference/sae.ts";
import { readModel } from "../support/read_model.ts";
import { denseFeatures } from "../support/sae.ts";

const MIB = 2 ** 20;

/** The reference's metadata under a key. */
async function metadata<T>(file: string, key: string): Promise<T> {
  await using opened = await open(new URL(`${file}.safetensors`, FIXTURES));
  return JSON.parse(opened.metadata.get(key)!) as T;
}

/** An engine of the tiny model with all reference autoencoders. */
async function withTiny(
  use: (engine: Engine) => Promise<void>,
  options: { cacheBytes?: number; saeBytes?: number } = {},
): Promise<void> {
  const saes = SAES.map((name) => ({
    name,
    directory: new URL(`sae/${name}`, FIXTURES).pathname,
  }));
  const engine = await createEngine({ directory: TINY, cacheBytes: 64 * MIB, saes, ...options });
  try {
    await use(engine);
  } finally {
    engine.destroy();
  }
}

/** The largest number of a tensor. */
function largest(tensor: Float32Array): number {
  return tensor.reduce((most, v) => Math.max(most, Math.abs(v)), 0);
}

/** Holds features' sources against the reference's; `atol` is in parts of a tensor's largest number. */
async function compareFlow(
  engine: Engine,
  sae: string,
  { ids, tensors }: Reference,
  atol: number,
): Promise<void> {
  const T = ids.length;
  const features = tensors.get("features")!;
  const { config } = engine.info.saes.find(({ name }) => name === sae)!;
  for (const [n, feature] of features.entries()) {
    const flow = await engine.ask("featureFlow", { ids, sae, feature, target: undefined });
    const whole = tensors.get(flow.byHead ? "dfa_heads" : "source_attn")!;
    const size = flow.matrix.length;
    const expected = flow.byHead
      ? whole.subarray(n * size, (n + 1) * size)
      : Float32Array.from({ length: size }, (_, at) => {
        const layer = Math.floor(at / (T * T));
        return whole[(layer * features.length + n) * T * T + at % (T * T)]!;
      });
    assertClose(flow.matrix, expected, { atol: atol * largest(whole) });
    const part = (kind: string, tensor: string, row: number): void => {
      const wanted = tensors.get(tensor)!;
      const own = flow.parts.filter((it) => it.kind === kind);
      own.forEach(({ values }, l) => {
        const at = (l * features.length + n) * row;
        const there = row === 1
          ? new Float32Array(T).fill(wanted[at]!)
          : wanted.subarray(at, at + row);
        assertClose(values, there, { atol: atol * largest(wanted) });
      });
    };
    part("BIAS", "source_bias", 1);
    if (!flow.byHead) {
      // The bundled reference's bias of attention is one number a layer, as nothing scales it.
      const isOne = tensors.get("source_attn_bias")!.length === flow.count * features.length;
      part("ATTENTION_BIAS", "source_attn_bias", isOne ? 1 : T);
    }
    if (config.site.startsWith("RESID")) {
      part("EMBEDDING", "source_embed", T);
      part("POSITION", "source_pos", T);
      part("MLP", "source_mlp", T);
    }
    const pre = tensors.get("pre")!;
    const own = Float32Array.from(
      { length: T },
      (_, t) =>
        pre.length === features.length * T ? pre[n * T + t]! : pre[t * config.features + feature]!,
    );
    assertClose(flow.preActivations, own, { atol: 1e-4 * largest(own) });
    // One target alone is a row of all.
    const target = T - 2;
    const alone = await engine.ask("featureFlow", { ids, sae, feature, target });
    const rows = Array.from({ length: flow.count }, (_, m) => (m * T + target) * T);
    assert.deepEqual(
      Array.from(alone.matrix),
      rows.flatMap((at) => Array.from(flow.matrix.subarray(at, at + T))),
    );
    assert.equal(alone.activations[0], flow.activations[target]);
  }
}

Deno.test("features, fits and sources of the reference autoencoders", () =>
  withTiny(compareWithReference));

Deno.test("the same where no binding holds a decoder", async () => {
  // As 131,072 features of GPT-2 small are on a software adapter: 402 MB, three times what a binding may have. Only while
  // an autoencoder is put on the device, since lists of features are larger than these decoders.
  const { prototype } = GPUSupportedLimits;
  const limit = Object.getOwnPropertyDescriptor(prototype, "maxStorageBufferBindingSize")!;
  const { createBuffer, createTexture } = GPUDevice.prototype;
  const parts = new Map<string, number>();
  let isUploading = false;
  Object.defineProperty(prototype, "maxStorageBufferBindingSize", {
    configurable: true,
    get() {
      return isUploading ? 8192 : limit.get!.call(this);
    },
  });
  GPUDevice.prototype.createTexture = function (descriptor) {
    isUploading ||= descriptor.label?.startsWith("encoder of ") ?? false;
    return createTexture.call(this, descriptor);
  };
  GPUDevice.prototype.createBuffer = function (descriptor) {
    const { label = "" } = descriptor;
    if (label.startsWith("decoder of ")) parts.set(label, (parts.get(label) ?? 0) + 1);
    if (label.startsWith("decoder bias of ")) isUploading = false;
    return createBuffer.call(this, descriptor);
  };
  try {
    await withTiny(compareWithReference);
  } finally {
    Object.defineProperty(prototype, "maxStorageBufferBindingSize", limit);
    Object.assign(GPUDevice.prototype, { createBuffer, createTexture });
  }
  assert.equal(parts.size, SAES.length);
  for (const [label, count] of parts) assert(count > 1, `${label}: ${count}`);
});

/** Holds what the engine answers of every reference autoencoder against SAELens' own. */
async function compareWithReference(engine: Engine): Promise<void> {
  for (const sae of SAES) {
    const { config } = engine.info.saes.find(({ name }) => name === sae)!;
    for (const prompt of ["T14", "T65"]) {
      const file = `sae/${sae}/${prompt}`;
      const reference = await readReference(file);
      const { ids, tensors } = reference;
      const found = await engine.ask("features", { ids, sae });
      const acts = tensors.get("acts")!;
      const dense = denseFeatures(found, { tokens: ids.length, width: config.features });
      // Ten times SAELens' own float32 error. Measured: 8.3e-7 of the largest.
      assertClose(dense, acts, { atol: 2.6e-5 * largest(acts) });

      const expected = await metadata<Record<string, number>>(file, "no_bos");
      const fit = await engine.ask("saeFit", { ids, sae, beginsWithBos: true });
      // The same sets of features are on; measured: no difference, and 2e-7 of the variance.
      assertClose([fit.l0], [expected.l0!], { atol: 1e-6 });
      assertClose([fit.explainedVariance], [expected.explained_variance!], { atol: 2e-6 });
      const mean = (losses: Float32Array): number =>
        losses.reduce((sum, v) => sum + v / losses.length, 0);
      const losses = ["ce", "ce_sae", "ce_ablation"].map((name) => tensors.get(name));
      const measured = [fit.ce, fit.ceWithSae, fit.ceWithZeros];
      losses.forEach((loss, at) => {
        // Position 0's next token is counted in no mean. Ten times the reference's float32 error of 5e-7 of 7.
        if (loss) assertClose([measured[at]!], [mean(loss.subarray(1))], { atol: 3.5e-5 });
      });

      const again = await engine.ask("features", { ids, sae });
      assert(again.cacheHit);
      assert.deepEqual(again.activations, found.activations);
      if (prompt === "T14" && config.site !== "MLP_OUT" && config.site !== "LN2_NORMALIZED") {
        // Ten times the reference's float32 error of 1.2e-6. Measured: 1.4e-6.
        await compareFlow(engine, sae, reference, 1.2e-5);
      }
    }
  }
}

Deno.test("features and sources of the bundled autoencoders", async () => {
  const saes = ["res-4", "z-3"].map((name) => ({ name, directory: `${BUNDLED}sae/${name}` }));
  const engine = await createEngine({ directory: BUNDLED, cacheBytes: 64 * MIB, saes });
  try {
    for (const { name: sae } of saes) {
      for (const prompt of ["cart", "quotes"]) {
        const reference = await readReference(`sae-bundled/${sae}/${prompt}`);
        const { ids, tensors } = reference;
        const found = await engine.ask("features", { ids, sae });
        const near = tensors.get("near")!.length / 2;
        const places = tensors.get("positions")!;
        const features = tensors.get("active_features")!;
        const values = new Map(
          Array.from(places, (p, n) => [`${p}.${features[n]}`, tensors.get("values")![n]!]),
        );
        const mine = new Map(
          Array.from(
            found.positions,
            (p, n) => [`${p}.${found.features[n]}`, found.activations[n]!],
          ),
        );
        const differing = [...values.keys()].filter((key) => !mine.has(key)).length +
          [...mine.keys()].filter((key) => !values.has(key)).length;
        assert(differing <= near, `${differing} features are on in one only`);
        for (const [key, value] of mine) {
          if (values.has(key)) assertClose([value], [values.get(key)!], { atol: 1e-4 });
        }
        await compareFlow(engine, sae, reference, 1.2e-5);
      }
    }
  } finally {
    engine.destroy();
  }
});

Deno.test("what features do for the next token's loss, against float64", () =>
  withTiny(async (engine) => {
    const tiny = await readModel(TINY);
    for (const name of SAES) {
      await using sae = await openSae(new URL(`sae/${name}`, FIXTURES).pathname);
      const weights = await readSaeWeights(sae);
      const { ids } = await readReference(`sae/${name}/T14`);
      const model = run(tiny.architecture, tiny.weights, ids);
      const found = await engine.ask("features", { ids, sae: name });
      const some = found.positions.keys().filter((n) => n % 5 === 0).toArray();
      const positions = some.map((n) => found.positions[n]!);
      const features = some.map((n) => found.features[n]!);
      const { effects } = await engine.ask("lossEffects", { ids, sae: name, positions, features });
      const expected = some.map((n, at) =>
        positions[at] === ids.length - 1 ? NaN : lossEffect(sae.config, weights, model, {
          feature: features[at]!,
          position: positions[at]!,
          activation: found.activations[n]!,
        })
      );
      const isThere = (_: number, at: number): boolean => positions[at]! < ids.length - 1;
      assert(effects.some((effect, at) => isThere(effect, at) && Math.abs(effect) > 1e-3));
      effects.forEach((effect, at) => assert(isThere(effect, at) !== Number.isNaN(effect)));
      // Ten times what was measured, 3.6e-7: losses of 6 nats by sums over the vocabulary in float32.
      assertClose(effects.filter(isThere), expected.filter(isThere), { atol: 4e-6 });
    }
  }));

Deno.test("a prompt that is typed on encodes what is new, also where its memory has no room", () =>
  withTiny(async (engine) => {
    const { ids: all } = await readReference("sae/res-standard/T65");
    const { reserve } = FeatureEncoder.prototype;
    const encoded: number[] = [];
    FeatureEncoder.prototype.reserve = function (rows) {
      encoded.push(rows);
      return reserve.call(this, rows);
    };
    try {
      for (const sae of ["res-standard", "res-topk"]) {
        for (let T = 13; T <= 36; T++) {
          await engine.ask("features", { ids: all.slice(0, T), sae });
          if (T > 13) assert.equal(encoded.at(-1), 1, `at ${T} tokens`);
        }
        const typed = await engine.ask("features", { ids: all.slice(0, 36), sae });
        const { tensors } = await readReference(`sae/${sae}/T65`);
        const width = tensors.get("acts")!.length / 65;
        const expected = tensors.get("acts")!.subarray(0, 36 * width);
        assertClose(denseFeatures(typed, { tokens: 36, width }), expected, {
          atol: 3e-5 * largest(expected),
        });
      }
    } finally {
      FeatureEncoder.prototype.reserve = reserve;
    }
  }));
