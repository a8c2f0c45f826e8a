import assert from "node:assert/strict";
import {
  type EncoderWeights,
  readEncoderWeights,
} from "../../src/checkpoints/sae/encoder_weights.ts";
import { openSae } from "../../src/checkpoints/sae/open_sae.ts";
import { parseSaeConfig } from "../../src/checkpoints/sae/parse_sae_config.ts";
import { encode, hookOf, run as runModel, shiftOf } from "../reference/sae.ts";
import { assertClose } from "../support/assert_close.ts";
import { FIXTURES, readReference, SAES, TINY } from "../support/fixtures.ts";
import { withGpu } from "../support/gpu.ts";
import { Random } from "../support/random.ts";
import { readModel } from "../support/read_model.ts";
import { denseFeatures, encodeOnDevice } from "../support/sae.ts";

const tiny = await readModel(TINY);
for (const name of SAES) {
  Deno.test(`encoding agrees with sae/${name}`, () =>
    withGpu(async (gpu) => {
      await using sae = await openSae(new URL(`sae/${name}`, FIXTURES).pathname);
      const { config } = sae;
      const weights = await readEncoderWeights(sae);
      for (const prompt of ["T14", "T65"]) {
        const { ids, tensors } = await readReference(`sae/${name}/${prompt}`);
        const model = runModel(tiny.architecture, tiny.weights, ids);
        const isNormed = config.site === "LN2_NORMALIZED";
        const x = isNormed ? model.traces[config.layer]!.residMid : hookOf(config, model);
        const found = await encodeOnDevice(gpu, weights, { x, shift: shiftOf(config, model) });
        const expected = tensors.get("acts")!;
        const actual = denseFeatures(found, { tokens: ids.length, width: config.features });
        const largest = expected.reduce((most, v) => Math.max(most, v), 0);
        // Ten times SAELens' own float32 error. Measured: 9e-7 of the largest.
        assertClose(actual, expected, { atol: 2.6e-5 * largest });
        if (config.architecture === "standard" || config.architecture === "transcoder") continue;
        actual.forEach((a, i) => assert.equal(a > 0, expected[i]! > 0, `activation ${i}`));
      }
    }));
}

/** An autoencoder of random weights. */
function randomWeights(
  { inputs, features, k }: { inputs: number; features: number; k?: number },
): EncoderWeights {
  const random = new Random(features + inputs);
  const config = parseSaeConfig(JSON.stringify({
    architecture: k ? "topk" : "jumprelu",
    d_in: inputs,
    d_sae: features,
    k,
    metadata: { hook_name: "blocks.0.hook_resid_pre" },
  }));
  const decisions = new Float32Array(4 * features);
  for (let f = 0; f < features; f++) {
    const bias = random.normals(1)[0]!;
    decisions.set([bias, k ? 0 : 1.5 * Math.sqrt(inputs), 1, bias], 4 * f);
  }
  return {
    config,
    encoder: Float32Array.from(random.normals(inputs * features)),
    decisions,
    inputBias: Float32Array.from(random.normals(inputs)),
    decoder: new Float32Array(features * inputs),
    decoderBias: new Float32Array(inputs),
  };
}

/** What a feature's threshold is compared with, in float64. */
function sum(
  { config: { inputs, features }, encoder, inputBias, decisions }: EncoderWeights,
  x: ArrayLike<number>,
  position: number,
  feature: number,
): number {
  let s = decisions[4 * feature]!;
  for (let c = 0; c < inputs; c++) {
    s += (x[position * inputs + c]! - inputBias[c]!) * encoder[c * features + feature]!;
  }
  return s;
}

Deno.test("encoding at GPT-2 small's size agrees with the reference: 24,576 features of 768 channels", () =>
  withGpu(async (gpu) => {
    const [inputs, features, tokens] = [768, 24_576, 9];
    const weights = randomWeights({ inputs, features });
    const x = Float32Array.from(new Random(5).normals(tokens * inputs));
    // 5 positions, then 3, then 1: the lists of a prompt that is typed on.
    const found = await encodeOnDevice(gpu, weights, { x, steps: [5, 3, 1] });
    const dense = denseFeatures(found, { tokens, width: features });
    // Every 13th feature, so every place in a block of 128; the reference sees no other.
    const sampled = Array.from({ length: Math.ceil(features / 13) }, (_, n) => 13 * n);
    const { decisions, encoder, inputBias } = weights;
    const W_enc = new Float32Array(inputs * sampled.length);
    for (let c = 0; c < inputs; c++) {
      sampled.forEach((f, n) => W_enc[c * sampled.length + n] = encoder[c * features + f]!);
    }
    const { pre, acts } = encode(
      { ...weights.config, features: sampled.length, subtractsDecoderBias: true },
      {
        W_enc,
        b_enc: sampled.map((f) => decisions[4 * f]!),
        threshold: sampled.map((f) => decisions[4 * f + 1]!),
        b_dec: inputBias,
        W_dec: new Float32Array(inputs * sampled.length),
      },
      Float64Array.from(x),
    );
    const threshold = decisions[1]!;
    const compared = Array.from(pre.keys()).filter((at) => Math.abs(pre[at]! - threshold) >= 1e-3);
    const actual = compared.map((at) => {
      const [position, n] = [Math.floor(at / sampled.length), at % sampled.length];
      return dense[position * features + sampled[n]!]!;
    });
    // Sums of 768 products of about 1. Measured: 6.9e-5.
    assertClose(actual, compared.map((at) => acts[at]!), { atol: 2e-4 });
    const on = actual.filter((a) => a > 0).length;
    assert(
      on > 500 && compared.length > 0.999 * pre.length,
      `${on} on, ${compared.length} compared`,
    );
  }));

Deno.test("an encoder that no one texture holds is encoded whole", () =>
  withGpu(async (gpu) => {
    const x = Float32Array.from(new Random(3).normals(5 * 100));
    for (const k of [undefined, 9]) {
      const weights = randomWeights({ inputs: 100, features: 1000, ...(k ? { k } : {}) });
      const whole = await encodeOnDevice(gpu, weights, { x });
      // 3 rows for a block of 128 features: 2 blocks, 256 features, to a texture.
      const split = await encodeOnDevice(gpu, weights, { x, mostRows: 8 });
      assert(whole.count > 20);
      assert.deepEqual(split, whole);
    }
  }));

for (const [k, features] of [[1, 100], [32, 1000], [300, 257]] as const) {
  Deno.test(`topk of ${features} features, k = ${k}, with equal ones`, () =>
    withGpu(async (gpu) => {
      const weights = randomWeights({ inputs: 20, features, k });
      // Small whole numbers, so that sums are exact and often equal.
      weights.encoder.forEach((v, i) => weights.encoder[i] = Math.round(v));
      weights.inputBias.fill(0);
      weights.decisions.fill(0);
      const x = Float32Array.from(new Random(3).normals(17 * 20), Math.round);
      const found = await encodeOnDevice(gpu, weights, { x });
      const expected = Array.from(
        { length: 17 },
        (_, position) =>
          Array.from({ length: features }, (_, f) => ({ f, p: sum(weights, x, position, f) }))
            .sort((a, b) => b.p - a.p || a.f - b.f).slice(0, k).filter(({ p }) => p > 0)
            .map(({ f, p }) => [position, f, p]),
      ).flat();
      const actual = Array.from(
        found.positions,
        (position, n) => [position, found.features[n]!, found.activations[n]!],
      );
      assert.deepEqual(actual, expected);
    }));
}

Deno.test("what there is no room for is counted", () =>
  withGpu(async (gpu) => {
    const weights = randomWeights({ inputs: 40, features: 500 });
    const x = Float32Array.from(new Random(3).normals(20 * 40));
    const all = await encodeOnDevice(gpu, weights, { x });
    const some = await encodeOnDevice(gpu, weights, { x, room: 70 });
    assert(all.count > 100);
    assert.equal(all.positions.length, all.count);
    assert.equal(some.count, all.count);
    assert.equal(some.positions.length, 70);
  }));
