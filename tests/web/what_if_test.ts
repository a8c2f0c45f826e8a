import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { FLOW_METHODS, METHODS } from "../../src/requests/flow_methods.ts";
import { arrowAt, pixelAt, setOption, settled, withPages } from "../support/page.ts";

const LINK = "/info-flow.arrow?prompt=Mary%20and%20John%20went%20to%20the%20store.%20John%20gave" +
  "%20the%20cart%20to";

const numbers = (text: string): number[] => Array.from(text.matchAll(/[\d.]+(?=%)/g), Number);

async function shares(page: Page): Promise<number[]> {
  return numbers((await page.locator("#details td.share").allTextContents()).join(" "));
}

Deno.test("methods, ablated heads, and what comes next, on the page", (t) =>
  withPages(async (open, origin) => {
    await t.step(
      "a method is chosen by name, said in a sentence, and drawn from its numbers",
      () =>
        open(`${origin}/`, async (page, record) => {
          await settled(page);
          await setOption(page, "Layers", "ROLLOUT");
          await setOption(page, "Method", "VALUE_NORM");
          await page.waitForFunction(() => location.hash === "#method=VALUE_NORM");
          await settled(page);
          const rollout = page.locator("option[value=ROLLOUT]");
          assert.equal(await rollout.isDisabled(), true, "value norms have no rollout");
          assert.equal(
            await page.locator("#says").textContent(),
            FLOW_METHODS.VALUE_NORM.says,
          );
          const { flow } = await arrowAt(`${origin}${LINK}&method=VALUE_NORM`);
          const top = flow[12]!.toSorted((a, b) => b - a).slice(0, 3);
          (await shares(page)).slice(0, 3).forEach((share, i) => {
            assert(Math.abs(share - 100 * top[i]!) < 0.051, `${share} for ${top[i]}`);
          });
          assert.deepEqual(record, { strangers: [], complaints: [] });
        }),
    );

    await t.step("every method of the schema is offered, and no other", async () => {
      const response = await fetch(`${origin}/graphql`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ query: `{ __type(name: "Method") { enumValues { name } } }` }),
      });
      const { data } = await response.json();
      const names = data.__type.enumValues.map(({ name }: { name: string }) => name);
      assert.deepEqual(names.toSorted(), METHODS.toSorted());
    });

    await t.step(
      "heads that are clicked off change the flow, and on again restore it",
      () =>
        open(`${origin}/#view=whatif`, async (page, record) => {
          await settled(page);
          const before = await pixelAt(page, 12, 4);
          const head = page.locator('#panels [data-key="2.3"]');
          await head.click();
          await page.waitForFunction(() => location.hash.includes("off=2.3"));
          await page.getByRole("heading", { name: "Head 2.3 off" }).waitFor();
          assert.equal(await head.getAttribute("aria-label"), "Layer 2, head 3, ablated");
          const { flow } = await arrowAt(`${origin}${LINK}&ablate=2.3`);
          const top = Math.max(...flow[12]!);
          assert(Math.abs((await shares(page))[0]! - 100 * top) < 0.051);

          await page.getByRole("button", { name: "What changes" }).click();
          await page.getByRole("heading", { name: "what changes" }).waitFor();
          await settled(page);
          const whole = await arrowAt(origin + LINK);
          const largest = Math.max(
            ...flow[12]!.map((weight, i) => Math.abs(weight - whole.flow[12]![i]!)),
          );
          assert(Math.abs((await shares(page))[0]! - 100 * largest) < 0.0051);
          assert.equal((await page.locator(".legend text").allTextContents())[2], "0");

          await page.getByRole("button", { name: "All heads on" }).click();
          await page.getByRole("heading", { name: "All heads on" }).waitFor();
          await settled(page);
          assert.deepEqual(await pixelAt(page, 12, 4), before);
          assert.deepEqual(record, { strangers: [], complaints: [] });
        }),
    );

    await t.step(
      "what comes next is listed with its probability, with and without the heads",
      () =>
        open(`${origin}/#view=whatif&off=2.3,5.0`, async (page) => {
          await page.locator("#forecast thead").getByText("Without").waitFor();
          const rows = await page.locator("#forecast tbody tr").all();
          const response = await fetch(`${origin}/graphql`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({
              query: `query ($prompt: String!) {
              whole: nextTokens(prompt: $prompt, k: 1) { predictions { text probability } }
              without: nextTokens(prompt: $prompt, k: 50,
                ablate: [{ layer: 2, head: 3 }, { layer: 5, head: 0 }]) { predictions { text probability } }
            }`,
              variables: { prompt: "Mary and John went to the store. John gave the cart to" },
            }),
          });
          const { data } = await response.json();
          const [{ text, probability }] = data.whole.predictions;
          const other = data.without.predictions.find((one: { text: string }) => one.text === text);
          const [whole, without] = numbers(
            (await rows[0]!.locator("td").allTextContents()).join(" "),
          );
          assert.match((await rows[0]!.locator("th").textContent())!, new RegExp(text.trim()));
          assert(Math.abs(whole! - 100 * probability) < 0.051, `${whole} for ${probability}`);
          assert(Math.abs(without! - 100 * other.probability) < 0.051);
        }),
    );
  }));
