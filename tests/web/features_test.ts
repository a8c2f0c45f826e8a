import assert from "node:assert/strict";
import { settled, withPages } from "../support/page.ts";

const PROMPT = "Mary and John went to the store. John gave the cart to";
const FEATURE = 873;

async function ask<Data>(origin: string, query: string): Promise<Data> {
  const response = await fetch(`${origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query }),
  });
  const { data, errors } = await response.json();
  assert.equal(errors, undefined, JSON.stringify(errors));
  return data;
}

const number = (text: string): number => Number(text.replace("−", "-"));

Deno.test("features of a sparse autoencoder, on the page", (t) =>
  withPages(async (open, origin) => {
    await t.step(
      "what is drawn is what the API answers",
      () =>
        open(`${origin}/#view=features`, async (page, record) => {
          await settled(page);
          interface Data {
            features: { activations: { position: number; feature: number; activation: number }[] };
          }
          const { features } = await ask<Data>(
            origin,
            `{ features(prompt: "${PROMPT}", sae: "res-4", k: 8) {
            activations { position feature activation } } }`,
          );
          const last = features.activations.filter(({ position }) => position === 13);
          const rows = await page.locator("#stage svg").first().textContent();
          for (const { feature, activation } of last) {
            assert.match(rows!, new RegExp(`#${feature}\\b`));
            assert(rows!.includes(activation.toFixed(1)), `${activation} of ${feature}`);
          }
          assert.match(
            (await page.locator("#details caption").textContent())!,
            new RegExp(`feature ${last[0]!.feature} at`),
          );
          assert.deepEqual(record, { strangers: [], complaints: [] });
        }),
    );

    await t.step(
      "the parts of a feature add to what it is",
      () =>
        open(`${origin}/#view=features&feature=${FEATURE}`, async (page, record) => {
          await settled(page);
          interface Data {
            featureFlow: { preActivations: number[] };
          }
          const { featureFlow } = await ask<Data>(
            origin,
            `{ featureFlow(prompt: "${PROMPT}", sae: "res-4", feature: ${FEATURE}, target: 13) {
            preActivations } }`,
          );
          const whole = await page.locator("#details tr").last().locator("td").last().textContent();
          assert.equal(number(whole!), Number(featureFlow.preActivations[0]!.toFixed(2)));
          assert.match((await page.locator(".feature-card").textContent())!, /Promotes/);
          assert.equal(await page.locator(".feature-card .examples li").count(), 6);
          assert.deepEqual(record, { strangers: [], complaints: [] });
        }),
    );

    await t.step(
      "a feature that is off changes what comes next; another one is a click away",
      () =>
        open(`${origin}/#view=features&feature=${FEATURE}`, async (page, record) => {
          await settled(page);
          const before = await page.locator("#forecast").textContent();
          await page.getByRole("button", { name: "Off", exact: true }).click();
          await page.waitForFunction(() => location.hash.includes("amount=0"));
          await settled(page);
          const after = (await page.locator("#forecast").textContent())!;
          assert.notEqual(after, before);
          assert.match(after, new RegExp(`Feature ${FEATURE} off`));
          assert.deepEqual(record, { strangers: [], complaints: [] });
        }),
    );

    await t.step(
      "features are found by what they promote, and others are near",
      () =>
        open(`${origin}/#view=features&feature=${FEATURE}`, async (page, record) => {
          await settled(page);
          await page.getByLabel("Find features").fill("Mark");
          await page.getByLabel("Find features").press("Enter");
          await page.waitForFunction(() => location.hash.includes("find=Mark"));
          await settled(page);
          const { featureList } = await ask<{ featureList: { total: number } }>(
            origin,
            `{ featureList(sae: "res-4", search: "Mark") { total } }`,
          );
          assert(featureList.total > 0);
          assert.equal(await page.locator(".found li").count(), Math.min(12, featureList.total));
          const near = page.locator(".feature-card button").first();
          const name = (await near.textContent())!.slice(1);
          await near.click();
          await page.waitForFunction((name) => location.hash.includes(`feature=${name}`), name);
          await settled(page);
          assert.match(
            (await page.locator("#details caption").textContent())!,
            new RegExp(`feature ${name} at`),
          );
          assert.deepEqual(record, { strangers: [], complaints: [] });
        }),
    );
  }));
