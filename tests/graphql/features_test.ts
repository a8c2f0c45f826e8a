import assert from "node:assert/strict";
import { open } from "@infoflow/safetensors";
import { tableFromIPC } from "@uwdata/flechette";
import { ORIGIN, withApp } from "../support/app.ts";
import { assertClose } from "../support/assert_close.ts";
import { FIXTURES, readReference } from "../support/fixtures.ts";
import { stretchedSae } from "../support/stretched_sae.ts";

const cart = await readReference("sae-bundled/res-4/cart");
/** The prompt of the reference. */
const PROMPT = "Mary and John went to the store. John gave the cart to";

Deno.test("the bundled model's autoencoders say what they are", () =>
  withApp(async (app) => {
    const { data, errors } = await app.query(
      `{ saes {
        name model hook layer site architecture features context conversion
        report { l0 explainedVariance ceScore }
      } }`,
    );
    assert.equal(errors, undefined);
    assert.deepEqual(data.saes.map((it: { name: string }) => it.name), ["res-4", "z-3"]);
    const [res4] = data.saes;
    assert.equal(res4.model, "bundled");
    assert.equal(res4.hook, "blocks.4.hook_resid_pre");
    assert.equal(res4.site, "RESID_PRE");
    assert.equal(res4.architecture, "jumprelu");
    assert.deepEqual([res4.layer, res4.features, res4.context], [4, 1024, 256]);
    assert.match(res4.conversion, /minus its mean over channels/);
    assert.equal(res4.report.l0, 12);
    assertClose([res4.report.explainedVariance], [0.9], { atol: 0.02 });
  }));

Deno.test("features of a prompt, as JSON and as Arrow by the same link", () =>
  withApp(async (app) => {
    const { data, errors } = await app.query(
      `query ($prompt: String!) {
        features(prompt: $prompt, sae: "res-4", bos: KEEP) {
          id url arrow cacheHit scale beyondContext tokens { id text } sae { name }
          activations { position feature activation rank }
        }
      }`,
      { prompt: PROMPT },
    );
    assert.equal(errors, undefined);
    const { activations, arrow, cacheHit, tokens, url } = data.features;
    assert.equal(cacheHit, false);
    assert.deepEqual(tokens.map((it: { id: number }) => it.id), cart.ids);
    // Sets are equal on this prompt: the nearest decision is 1.3e-4 from turning.
    const positions = cart.tensors.get("positions")!;
    assert.equal(activations.length, positions.length);
    const top = activations.filter((it: { rank: number }) => it.rank === 0);
    top.forEach((it: { position: number; feature: number; activation: number }) => {
      assert.equal(it.feature, cart.tensors.get("top_features")![5 * it.position]);
      const value = cart.tensors.get("top_values")![5 * it.position]!;
      assertClose([it.activation], [value], { atol: 1e-4 });
    });
    const response = await app.fetch(url.slice(ORIGIN.length));
    const bytes = await response.bytes();
    assert.equal(bytes.toBase64(), arrow);
    const table = tableFromIPC(bytes);
    assert.deepEqual(table.names, ["position", "token", "feature", "activation", "rank"]);
    assert.equal(table.numRows, activations.length);
    assert.equal(JSON.parse(table.schema.metadata!.get("infoflow")!).sae, "res-4");

    const few = await app.query(
      `query ($prompt: String!) {
        features(prompt: $prompt, sae: "res-4", k: 2, minActivation: 2, scale: DECODER_NORM) {
          cacheHit activations { position activation rank }
        }
      }`,
      { prompt: PROMPT },
    );
    assert(few.data.features.cacheHit);
    for (const { position, activation, rank } of few.data.features.activations) {
      assert(position >= 1 && activation > 2 && rank < 2);
    }
    const some = await app.query(
      `query ($prompt: String!) {
        features(prompt: $prompt, sae: "res-4", features: [873, 555], bos: KEEP) {
          url activations { position feature activation rank }
        }
      }`,
      { prompt: PROMPT },
    );
    const named = activations.filter((it: { feature: number }) => [873, 555].includes(it.feature));
    assert(named.length > 13);
    assert.deepEqual(some.data.features.activations, named, "ranks are those among all");
    assert.match(some.data.features.url, /features=873,555/);
    const rows = tableFromIPC(
      await (await app.fetch(some.data.features.url.slice(ORIGIN.length))).bytes(),
    );
    assert.equal(rows.numRows, named.length);
  }));

Deno.test("loss effects stand beside the activations, in JSON, by the link, and in rows of a batch", () =>
  withApp(async (app) => {
    const query = `query ($prompt: String!, $on: Boolean!) {
      features(prompt: $prompt, sae: "z-3", k: 2, lossEffect: $on) {
        url activations { position feature activation lossEffect }
      }
    }`;
    const { data, errors } = await app.query(query, { prompt: PROMPT, on: true });
    assert.equal(errors, undefined);
    const { activations, url } = data.features;
    const last = cart.ids.length - 1;
    for (const { position, lossEffect } of activations) {
      assert.equal(lossEffect === null, position === last);
    }
    assert(activations.some((it: { lossEffect: number }) => Math.abs(it.lossEffect) > 0.01));
    const response = await app.fetch(url.slice(ORIGIN.length));
    const table = tableFromIPC(await response.bytes());
    assert.deepEqual(table.names.slice(-2), ["rank", "loss_effect"]);
    assert.deepEqual(
      Array.from(table.getChild("loss_effect")!),
      activations.map((it: { lossEffect: number | null }) => it.lossEffect),
    );
    const without = await app.query(query, { prompt: PROMPT, on: false });
    assert.equal(without.data.features.activations[0].lossEffect, null);
  }));

Deno.test("the flow to a feature sums to its pre-activation, in GraphQL and in every layout", () =>
  withApp(async (app) => {
    for (const [sae, axis, size] of [["res-4", "layer", 4], ["z-3", "head", 8]] as const) {
      const { ids, tensors } = await readReference(`sae-bundled/${sae}/cart`);
      const feature = tensors.get("features")![0]!;
      const { data, errors } = await app.query(
        `query ($prompt: String!, $sae: String!, $feature: Int!) {
          featureFlow(prompt: $prompt, sae: $sae, feature: $feature) {
            id url targets preActivations activations parts { kind layer values }
            matrix { axes shape values url tidy: url(layout: TIDY) tensor: url(layout: TENSOR) }
          }
        }`,
        { prompt: PROMPT, sae, feature },
      );
      assert.equal(errors, undefined);
      const { matrix, parts, preActivations, activations, url } = data.featureFlow;
      const T = ids.length;
      assert.deepEqual(matrix.axes, [axis, "target", "source"]);
      assert.deepEqual(matrix.shape, [size, T, T]);
      assert.equal(matrix.url, url);
      const pre = tensors.get("pre")!.subarray(0, T);
      assertClose(preActivations, pre, { atol: 1e-4 * Math.max(...pre) });
      const sums = Array.from({ length: T }, (_, target) => {
        let sum = 0;
        for (let n = 0; n < size; n++) {
          for (let j = 0; j < T; j++) sum += matrix.values[(n * T + target) * T + j];
        }
        for (const { values } of parts) sum += values[target];
        return sum;
      });
      assertClose(sums, preActivations, { atol: 1e-4 });
      activations.forEach((a: number, t: number) =>
        assert(a === 0 || Math.abs(a - pre[t]!) < 1e-3)
      );

      const read = async (link: string) => {
        const response = await app.fetch(link.slice(ORIGIN.length));
        assert.equal(response.status, 200);
        return tableFromIPC(await response.bytes());
      };
      const tidy = await read(matrix.tidy);
      assert.deepEqual(tidy.names, ["kind", axis, "target", "source", "weight"]);
      const byTarget = new Float64Array(T);
      for (const { target, weight } of tidy.toArray()) byTarget[target]! += weight;
      assertClose(byTarget, preActivations, { atol: 1e-4 });
      const rows = await read(url);
      assert.deepEqual(rows.names, [
        axis,
        "target",
        "token",
        "pre_activation",
        "activation",
        "flow",
      ]);
      assert.equal(rows.numRows, size * T);
      assert.equal((await read(matrix.tensor)).numRows, size);
    }
  }));

Deno.test("a fit that is far off is a warning", () =>
  withApp(async (app) => {
    const ask = async (prompt: string) => {
      const query = `query ($prompt: String!) {
        saes { name fit(prompt: $prompt) { l0 explainedVariance ce ceWithSae ceWithZeros ceScore warning } }
      }`;
      return (await app.query(query, { prompt })).data.saes;
    };
    const [res4, , wrong] = await ask(PROMPT);
    const behindBos = cart.tensors.get("positions")!.filter((position) => position > 0).length;
    assertClose([res4.fit.l0], [behindBos / 13], { atol: 1e-9 });
    assert.equal(res4.fit.warning, null);
    const { ce, ceWithSae, ceWithZeros, ceScore } = res4.fit;
    assert(ce < ceWithSae && ceWithSae < ceWithZeros);
    assertClose([ceScore], [(ceWithZeros - ceWithSae) / (ceWithZeros - ce)], { atol: 1e-12 });
    assert.equal(wrong.name, "res-4-stretched");
    assert.match(wrong.fit.warning, /worse than none/);
  }, { models: { saes: [`res-4-stretched=${STRETCHED}`] } }));

const STRETCHED = await stretchedSae();

Deno.test("what can't be asked about features is refused by name", () =>
  withApp(async (app) => {
    const refusals: readonly [question: string, message: RegExp][] = [
      [`features(prompt: "a b", sae: "res-5") { id }`, /there are res-4, z-3/],
      [`features(prompt: "a b", sae: "res-4", k: 0) { id }`, /k must/],
      [`features(prompt: "a b", sae: "res-4", minActivation: -1) { id }`, /minActivation/],
      [`features(prompt: "a b", sae: "res-4", features: [3, 1024]) { id }`, /a feature must.*1023/],
      [`featureFlow(prompt: "a b", sae: "res-4", feature: 1024) { id }`, /feature must.*1023/],
      [`featureFlow(prompt: "a b", sae: "res-4", feature: 1, target: 3) { id }`, /target must/],
    ];
    for (const [question, message] of refusals) {
      const { errors } = await app.query(`{ ${question} }`);
      assert.match(errors![0]!.message, message);
      assert.equal(errors![0]!.extensions.code, "BAD_USER_INPUT");
    }
    const response = await app.fetch("/features.arrow?prompt=a&sae=nothing");
    assert.equal(response.status, 400);
    assert.equal((await response.json()).code, "BAD_USER_INPUT");
  }));

Deno.test("an autoencoder of another model is refused", async () => {
  const directory = new URL("sae/res-standard", FIXTURES).pathname;
  await assert.rejects(
    withApp(() => Promise.resolve(), { models: { saes: [directory] } }),
    /autoencoder res-standard with this model as the model's activations have 128 channels: current value is 40/,
  );
});

Deno.test("dashboards of the bundled features agree with the reference's, and lists are sorted and searched", () =>
  withApp(async (app) => {
    await using file = await open(new URL("sae-bundled/dashboards.safetensors", FIXTURES));
    const [density, max, values] = await Promise.all(
      ["density", "max", "top_value"].map((name) => file.float32(name)),
    );
    const raised = new Int32Array((await file.read("raised_tokens")).buffer);
    const bars = new Int32Array((await file.read("histogram")).buffer);
    for (const index of [17, 43, 555, 873, 1021]) {
      const { data, errors } = await app.query(
        `query ($index: Int!) { feature(sae: "res-4", index: $index) {
          density max histogram promoted { id token logit } suppressed { id } nearest { feature cosine }
          together { feature jaccard } quantile(activation: 1e9)
          examples(n: 20) { activation position tokens activations }
          small: examples(n: 5, group: 0) { activation group }
        } }`,
        { index },
      );
      assert.equal(errors, undefined);
      const card = data.feature;
      assertClose([card.density], [density![index]!], { atol: 2e-5 });
      assertClose([card.max], [max![index]!], { atol: 1e-4 });
      assert.deepEqual(
        card.promoted.map(({ id }: { id: number }) => id),
        Array.from(raised.subarray(10 * index, 10 * index + 10)),
      );
      const own = bars.subarray(50 * index, 50 * index + 50);
      const moved = card.histogram.reduce(
        (sum: number, n: number, b: number) => sum + Math.abs(n - own[b]!),
        0,
      );
      assert(moved <= 4, `${moved} counts are in another bar`);
      card.examples.forEach((it: Record<string, number[]> & { activation: number }, n: number) => {
        assertClose([it.activation], [values![20 * index + n]!], { atol: 1e-4 });
        assert.equal(it.activations![it.position as unknown as number], it.activation);
        assert.equal(it.activations!.length, it.tokens!.length);
      });
      for (const { activation, group } of card.small) {
        assert.equal(group, 0);
        assert(activation <= card.max / 5 + 1e-6);
      }
      assert.equal(card.quantile, 1);
    }
    const { data } = await app.query(
      `{ dense: featureList(sae: "res-4", order: DENSITY, first: 3) { total features { index density } }
         dead: featureList(sae: "res-4", maxDensity: 0) { total }
         found: featureList(sae: "res-4", search: " the", first: 5) { features { promoted { token } } } }`,
    );
    assert.equal(data.dense.total, 1024);
    assert.equal(data.dense.features[0].index, 555);
    assert.equal(data.dead.total, 4);
    for (const { promoted } of data.found.features) {
      assert(promoted.some(({ token }: { token: string }) => token.toLowerCase().includes(" the")));
    }
  }));
