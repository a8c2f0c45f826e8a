import assert from "node:assert/strict";
import { open } from "@infoflow/safetensors";
import { tableFromIPC } from "@uwdata/flechette";
import { canonicalInterventions } from "../../src/requests/interventions/canonical_interventions.ts";
import type { InterventionInput } from "../../src/requests/interventions/intervention.ts";
import type { Site } from "../../src/requests/interventions/sites.ts";
import { createEngine } from "../../src/thread/create_engine.ts";
import { ORIGIN, withApp } from "../support/app.ts";
import { assertClose } from "../support/assert_close.ts";
import { FIXTURES, readReference, SAES, TINY } from "../support/fixtures.ts";

/** Numbers less their mean: logits are compared up to a constant. */
function centred(logits: ArrayLike<number>): number[] {
  const numbers = Array.from(logits);
  const mean = numbers.reduce((sum, v) => sum + v / numbers.length, 0);
  return numbers.map((v) => v - mean);
}

Deno.test("a feature set to 0, and one added, against SAELens: the error stays", async () => {
  const saes = SAES.map((name) => {
    return { name, directory: new URL(`sae/${name}`, FIXTURES).pathname };
  });
  const engine = await createEngine({ directory: TINY, cacheBytes: 2 ** 24, saes });
  const { architecture } = engine.info;
  const V = architecture.vocabulary;
  try {
    for (const name of SAES) {
      const { config } = engine.info.saes.find((it) => it.name === name)!;
      const { ids, tensors } = await readReference(`sae/${name}/T14`);
      await using file = await open(new URL(`sae/${name}/T14.safetensors`, FIXTURES));
      const steer = JSON.parse(file.metadata.get("steer")!);
      const site: Site = config.site === "LN2_NORMALIZED" ? "MLP_OUT" : config.site;
      const logitsWith = async (input: Partial<InterventionInput>): Promise<number[]> => {
        const asked = { site, layer: config.layer, action: "ZERO", ...input } as InterventionInput;
        const run = { architecture, ids, beginsWithBos: true, saes: engine.info.saes };
        const interventions = canonicalInterventions([asked], run);
        const { top } = await engine.ask("nextTokens", { ids, k: V, interventions });
        const logits = new Float64Array(V);
        top.ids.forEach((id, n) => logits[id] = top.logits[n]!);
        return centred(logits);
      };
      const without = tensors.get("logits_without")!;
      for (const [n, index] of Array.from(tensors.get("features")!).entries()) {
        const logits = await logitsWith({ feature: { sae: name, index } });
        // Ten times the reference's float32 error of 5e-7 of the largest, which is about 10.
        assertClose(logits, centred(without.subarray(n * V, (n + 1) * V)), { atol: 5e-5 });
        if (n === 0) {
          const scaled = await logitsWith({
            action: "SCALE",
            factor: 0,
            feature: { sae: name, index },
          });
          assertClose(scaled, logits, { atol: 1e-6 });
        }
      }
      const steered = await logitsWith({
        action: "ADD",
        feature: { sae: name, index: steer.feature, amount: steer.coefficient },
      });
      assertClose(steered, centred(tensors.get("logits_steered")!), { atol: 5e-5 });
    }
  } finally {
    engine.destroy();
  }
});

Deno.test("features in interventions, by GraphQL: set, added, and what can't be", () =>
  withApp(async (app) => {
    const prompt = "Mary and John went to the store. John gave the cart to";
    const ask = async (feature: string, rest: string) => {
      const interventions =
        `[{ site: RESID_PRE, layer: 4, ${rest}, feature: { sae: "res-4", ${feature} } }]`;
      return await app.query(
        `query ($prompt: String!) {
          features(prompt: $prompt, sae: "res-4", interventions: ${interventions}) {
            url activations { position feature activation }
          }
          nextTokens(prompt: $prompt, k: 1, interventions: ${interventions}) {
            predictions { text probability }
          }
        }`,
        { prompt },
      );
    };
    const { data, errors } = await ask("index: 873, amount: 30", "action: REPLACE, positions: [5]");
    assert.equal(errors, undefined);
    const set = data.features.activations.filter((it: { feature: number }) => it.feature === 873);
    // What is encoded again is not what was set: other features have a part in it.
    assert(
      set.some((it: { position: number; activation: number }) =>
        it.position === 5 && it.activation > 15
      ),
    );
    assert.match(data.features.url, /interventions=/);
    const plain = await ask("index: 873", "action: ZERO");
    const [off, on] = [plain, { data }].map((it) => it.data.nextTokens.predictions[0].probability);
    assert.notEqual(off, on);
    for (
      const [feature, rest, message] of [
        ["index: 5000, amount: 1", "action: ADD", /feature.index must lie between 0 and 1023/],
        ["index: 5", "action: ADD", /needs feature.amount/],
        ["index: 5, amount: 1", "action: MEAN", /can be added, replaced, zeroed or scaled/],
      ] as const
    ) {
      const { errors } = await ask(feature, rest);
      assert.match(errors![0]!.message, message);
    }
    const { errors: elsewhere } = await app.query(
      `{ nextTokens(prompt: "a b", interventions: [
        { site: RESID_PRE, layer: 2, action: ZERO, feature: { sae: "res-4", index: 1 } }
      ]) { id } }`,
    );
    assert.match(
      elsewhere![0]!.message,
      /RESID_PRE of layer 4: current site is RESID_PRE of layer 2/,
    );
  }));

Deno.test("an intervention below an autoencoder changes its features and their flow; one that changes nothing, no byte", () =>
  withApp(async (app) => {
    const prompt = "Mary and John went to the store. John gave the cart to";
    const ask = async (interventions: string) => {
      const changes = `interventions: [${interventions}]`;
      const { data, errors } = await app.query(
        `query ($prompt: String!) {
          features(prompt: $prompt, sae: "res-4", ${changes}) {
            url activations { position feature activation rank }
          }
          featureFlow(prompt: $prompt, sae: "res-4", feature: 873, target: 13, ${changes}) {
            preActivations activations parts { kind layer values } matrix { values }
          }
        }`,
        { prompt },
      );
      assert.equal(errors, undefined);
      return data;
    };
    /** The columns of the table that a link leads to. */
    const columnsAt = async (url: string) => {
      const response = await app.fetch(url.slice(ORIGIN.length));
      assert.equal(response.status, 200);
      const table = tableFromIPC(await response.bytes());
      return Object.fromEntries(table.names.map((name) => [name, table.getChild(name)!.toArray()]));
    };
    const plain = await ask("");
    const columns = await columnsAt(plain.features.url);
    const on = new Set(
      plain.features.activations.map((it: { feature: number }) => it.feature),
    );
    const off = Array.from({ length: 1024 }, (_, n) => n).find((n) => !on.has(n));
    for (
      const [isLeftOut, nothing] of [
        [true, `{ site: Z, layer: 1, heads: [2], action: SCALE, factor: 1 }`],
        [
          true,
          `{ site: RESID_PRE, layer: 4, action: ADD, feature: { sae: "res-4", index: 873, amount: 0 } }`,
        ],
        // A feature that is off everywhere: rows are changed by nothing.
        [
          false,
          `{ site: RESID_PRE, layer: 4, action: ZERO, feature: { sae: "res-4", index: ${off} } }`,
        ],
        // After the stream that is encoded.
        [false, `{ site: Z, layer: 4, heads: [2], action: ZERO }`],
      ] as const
    ) {
      const same = await ask(nothing);
      const { url, ...features } = same.features;
      assert.equal(!url.includes("interventions="), isLeftOut, nothing);
      assert.deepEqual(features.activations, plain.features.activations, nothing);
      assert.deepEqual(same.featureFlow, plain.featureFlow, nothing);
      assert.deepEqual(await columnsAt(url), columns, nothing);
    }

    const head = `{ site: Z, layer: 2, heads: [0], action: ZERO }`;
    const changed = await ask(head);
    assert.deepEqual(
      (await columnsAt(changed.features.url)).feature!.length,
      changed.features.activations.length,
    );
    assert.notDeepEqual(changed.features.activations, plain.features.activations);
    const { preActivations: [pre], matrix: { values }, parts } = changed.featureFlow;
    assert.notEqual(pre, plain.featureFlow.preActivations[0]);
    // What flows is what flows in the changed run: its parts sum to what the feature is there.
    const sum = [...values, ...parts.map((it: { values: number[] }) => it.values[0]!)]
      .reduce((all: number, v: number) => all + v, 0);
    assertClose([sum], [pre], { atol: 1e-4 });
    const active = changed.features.activations.find((it: { position: number; feature: number }) =>
      it.position === 13 && it.feature === 873
    );
    assertClose([active?.activation ?? 0], [Math.max(pre, 0)], { atol: 1e-3 });
    // `ablate` is short for it.
    const ablated = await app.query(
      `query ($prompt: String!) {
        features(prompt: $prompt, sae: "res-4", ablate: [{ layer: 2, head: 0 }]) {
          activations { position feature activation rank }
        }
      }`,
      { prompt },
    );
    assert.deepEqual(ablated.data.features.activations, changed.features.activations);
  }));
