// What is handed to `page.evaluate` runs in the browser.
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import assert from "node:assert/strict";
import { objectionsTo } from "../support/axe.ts";
import { CARD, drawn, FEATURE, rowTexts, saved } from "../support/feature_pages.ts";
import { withPages } from "../support/page.ts";

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

Deno.test("dashboards on the page", (t) =>
  withPages(async (open, origin) => {
    await t.step("the list is what the API answers, searched and sorted by its controls", () =>
      open(`${origin}/features`, async (page, record) => {
        await drawn(page);
        type Data = { featureList: { total: number; features: { index: number }[] } };
        const expected = async (options: string): Promise<string[]> => {
          const query = `{ featureList(sae: "res-4", ${options}) { total features { index } } }`;
          const { featureList } = await ask<Data>(origin, query);
          return featureList.features.map(({ index }) =>
            `#${index}`
          );
        };
        const isShown = async (options: string): Promise<void> => {
          const all = await expected(options);
          await page.waitForFunction(
            (first) => document.querySelector(".rows tbody a")?.textContent === first,
            all[0],
          );
          const rows = await rowTexts(page);
          assert.deepEqual(rows, all.slice(0, rows.length));
        };
        await isShown("order: MAX");
        await page.getByLabel("Order").selectOption("RARITY");
        await isShown("order: RARITY");
        await page.getByLabel("At least").selectOption("0.01");
        await isShown("order: RARITY, minDensity: 0.01");
        await page.getByLabel("Find").fill(" to");
        await isShown('order: RARITY, minDensity: 0.01, search: " to"');
        await page.getByLabel("Where to search").selectOption("TOKEN");
        await isShown('order: RARITY, minDensity: 0.01, search: " to", in: TOKEN');
        assert.match(page.url(), /#search=\+to&in=TOKEN&order=RARITY&least=0\.01$/);
        const before = await rowTexts(page);
        await page.reload();
        await drawn(page);
        assert.deepEqual(await rowTexts(page), before, "the link holds what is listed");
        assert.deepEqual(record, { strangers: [], complaints: [] });
      }));

    await t.step("only the rows in sight are there; keys move through all of them", () =>
      open(`${origin}/features#order=INDEX`, async (page, record) => {
        await drawn(page);
        assert((await rowTexts(page)).length < 60);
        await page.locator(".rows tbody a").first().focus();
        const focused = (): Promise<string> =>
          page.evaluate(() =>
            document.activeElement!.textContent!
          );
        await page.keyboard.press("ArrowDown");
        assert.equal(await focused(), "#1");
        await page.keyboard.press("End");
        await page.waitForFunction(() => document.activeElement?.textContent === "#1023");
        const asked: string[] = [];
        page.on("request", (request) => asked.push(request.postData() ?? ""));
        await page.keyboard.press("PageUp");
        await page.keyboard.press("Home");
        await page.waitForFunction(() => document.activeElement?.textContent === "#0");
        assert(!asked.some((body) => body.includes("query List")), "what came once is kept");
        await page.keyboard.press("Tab");
        assert(!await page.evaluate(() => document.activeElement!.closest(".rows")), "one stop");
        assert.deepEqual(record, { strangers: [], complaints: [] });
      }));

    await t.step("a dead feature is marked in the list, and says so by itself", () =>
      open(`${origin}/features#order=RARITY&most=0.00001`, async (page, record) => {
        await drawn(page);
        const dead = page.locator(".rows tr.dead").first();
        assert.match((await dead.textContent())!, /never on/);
        await dead.locator("a").click();
        await page.locator(".card", { hasText: "a dead feature, or a rare one" }).waitFor();
        assert.deepEqual(record, { strangers: [], complaints: [] });
      }));

    await t.step(
      "a feature's page shows its dashboard, and what is pointed at says its number",
      () =>
        open(origin + CARD, async (page, record) => {
          await drawn(page);
          interface Data {
            feature: {
              count: number;
              examples: { position: number; activation: number; tokens: string[] }[];
              promoted: { token: string }[];
              nearest: { feature: number }[];
              together: { feature: number }[];
            };
          }
          const { feature } = await ask<Data>(
            origin,
            `{ feature(sae: "res-4", index: ${FEATURE}) { count promoted { token } nearest { feature }
            together { feature } examples(n: 20) { position activation tokens } } }`,
          );
          const { count, examples: [best] } = feature;
          assert.match(
            (await page.locator(".facts").textContent())!,
            new RegExp(`On at ${count.toLocaleString("en")} of 109,674 tokens`),
          );
          assert.equal(await page.locator(".histogram rect").count(), 50);
          const near = await page.locator("aside table a").allTextContents();
          const others = [...feature.nearest, ...feature.together].map((it) =>
            `#${it.feature}`
          );
          assert.deepEqual(near, others);
          const first = page.locator(".places .token.from").first();
          const says = `${best!.tokens[best!.position]!.replace(" ", "·")}: ${
            best!.activation.toFixed(1)
          }`;
          await first.hover();
          assert.equal(await page.locator(".tip").textContent(), says);
          await first.focus();
          await page.keyboard.press("ArrowLeft");
          const next = `${best!.tokens[best!.position - 1]!.replace(" ", "·")}: off`;
          assert.equal(await page.locator(".tip").textContent(), next);
          await page.locator("details.fold summary").last().click();
          await page.locator("details.fold[open] .token").first().waitFor();
          assert.deepEqual(record, { strangers: [], complaints: [] });
        }),
    );

    await t.step("what fed it in an example is the flow into it, token by token", () =>
      open(origin + CARD, async (page, record) => {
        await drawn(page);
        interface Data {
          feature: { examples: { position: number; ids: number[] }[] };
          featureFlow: { preActivations: number[]; matrix: { shape: number[]; values: number[] } };
        }
        const { feature: { examples } } = await ask<Data>(
          origin,
          `{ feature(sae: "res-4", index: ${FEATURE}) { examples(n: 1) { position ids } } }`,
        );
        const [{ position, ids }] = examples as [Data["feature"]["examples"][number]];
        const { featureFlow: { preActivations, matrix: { shape, values } } } = await ask<Data>(
          origin,
          `{ featureFlow(ids: [${ids}], sae: "res-4", feature: ${FEATURE}, target: ${position}) {
            preActivations matrix { shape values } } }`,
        );
        const passage = page.locator(".places .passage").first();
        await passage.getByRole("button", { name: "What fed it" }).click();
        await passage.locator(".sources td").first().waitFor();
        const width = shape.at(-1)!;
        for (const source of [1, position - 1, position]) {
          const sum = Array.from({ length: shape[0]! }, (_, row) =>
            values[row * width + source]!)
            .reduce((a, b) =>
              a + b, 0);
          const says = (await passage.locator(`.token[data-position="${source}"]`)
            .getAttribute("data-says"))!;
          const said = Number(/adds (\S+) at/.exec(says)![1]!.replace("−", "-"));
          assert.equal(said, Number(sum.toFixed(2)), says);
        }
        const whole = (await passage.locator(".sources td").last().textContent())!;
        assert.equal(Number(whole), Number(preActivations[0]!.toFixed(2)));
        await passage.getByRole("button", { name: "What fed it" }).click();
        assert.equal(await passage.locator(".sources td").count(), 0);
        await passage.getByText("Open in the Features view").click();
        await page.locator("#picture[aria-busy=false]:not(.stale)").waitFor();
        assert.match(page.url(), new RegExp(`view=features&sae=res-4&feature=${FEATURE}&token=`));
        assert.match(
          (await page.locator("#details caption").textContent())!,
          new RegExp(`feature ${FEATURE} at ·to`),
        );
        assert.deepEqual(record, { strangers: [], complaints: [] });
      }));

    await t.step("a sentence of one's own: how much, how unusual, and its link", () =>
      open(origin + CARD, async (page, record) => {
        await drawn(page);
        const prompt = "Mary and John went to the store. John gave the cart to";
        await page.locator("#try").fill(prompt);
        const says = page.locator(".try .note");
        await page.locator(".try .note", { hasText: "Largest at" }).waitFor();
        interface Data {
          features: { activations: { activation: number; quantile: number }[] };
        }
        const { features } = await ask<Data>(
          origin,
          `{ features(prompt: "${prompt}", sae: "res-4", features: [${FEATURE}]) {
            activations { activation quantile } } }`,
        );
        const best = features.activations.toSorted((a, b) =>
          b.activation - a.activation
        )[0]!;
        const text = (await says.textContent())!;
        assert(text.includes(best.activation.toFixed(best.activation < 10 ? 2 : 1)), text);
        const percent = 100 * best.quantile;
        assert(text.includes(`${percent.toFixed(percent < 9.95 ? 2 : 1)}% of its`), text);
        await page.reload();
        await page.locator(".try .note", { hasText: "Largest at" }).waitFor();
        assert.equal(await says.textContent(), text, "the link holds the sentence");
        await page.locator("#try").fill("");
        await page.waitForFunction(() =>
          !location.hash
        );
        assert.deepEqual(record, { strangers: [], complaints: [] });
      }));

    await t.step("what is taken away: HTML that stands alone, JSON, CSV, Arrow", () =>
      open(origin + CARD, async (page, record) => {
        await drawn(page);
        const alone = await saved(page, "HTML");
        assert.equal(alone.file, `feature-res-4-${FEATURE}.html`);
        const json = await saved(page, "JSON");
        assert.equal(JSON.parse(json.text).examples.length, 20);
        const csv = await saved(page, "CSV");
        assert.match(csv.text, /^feature,group,text,position,token,activation,is_example\r\n873,,/);
        const arrow = await page.locator(".take-away a").getAttribute("href");
        const response = await fetch(arrow!);
        assert.equal(response.status, 200);
        await response.body?.cancel();
        assert.deepEqual(record, { strangers: [], complaints: [] });

        const path = await Deno.makeTempFile({ suffix: ".html" });
        await Deno.writeTextFile(path, alone.text);
        await page.goto(`file://${path}`);
        const requests: string[] = [];
        page.on("request", (request) =>
          requests.push(request.url()));
        await page.locator(".places .token.from").first().hover();
        assert.match((await page.locator("#tip").textContent())!, /^·to: 11\.1$/);
        await page.locator(".places .token.from").first().focus();
        await page.keyboard.press("ArrowLeft");
        assert.match((await page.locator("#tip").textContent())!, /: off$/);
        assert.deepEqual(requests, []);
        await Deno.remove(path);
      }));

    await t.step(
      "axe finds nothing to object to, light and dark; nothing jumps or is too wide",
      async () => {
        for (const path of ["/features", "/features#most=0.00001", CARD]) {
          for (const colorScheme of ["light", "dark"] as const) {
            await open(origin + path, async (page) => {
              await drawn(page);
              assert.deepEqual(await objectionsTo(page), [], `${path}, ${colorScheme}`);
              if (path !== CARD) {
                return;
              }
              await page.getByRole("button", { name: "What fed it" }).first().click();
              await page.locator(".sources td").first().waitFor();
              for (const fold of await page.locator("details.fold summary").all()) {
                await fold.click();
              }
              assert.deepEqual(await objectionsTo(page), [], `unfolded, ${colorScheme}`);
            }, { colorScheme });
          }
          for (const width of [1280, 320]) {
            await open(origin + path, async (page) => {
              await drawn(page);
              const { shift, wide } = await page.evaluate(() =>
                new Promise<{ shift: number; wide: number }>((resolve) => {
                  let shift = 0;
                  new PerformanceObserver((list) => {
                    for (const entry of list.getEntries()) {
                      shift += (entry as unknown as { value: number }).value;
                    }
                  }).observe({ type: "layout-shift", buffered: true });
                  setTimeout(
                    () =>
                      resolve({ shift, wide: document.documentElement.scrollWidth }),
                    300,
                  );
                })
              );
              assert(shift < 0.02, `${path} jumps by ${shift} at ${width}`);
              assert(wide <= width, `${path} is ${wide} wide at ${width}`);
            }, { viewport: { width, height: 800 } });
          }
        }
      },
    );

    await t.step("a page says so where it has nothing to show", () =>
      open(`${origin}/features/no-such/3`, async (page) => {
        await page.locator("#status", { hasText: "There is no autoencoder no-such here" })
          .waitFor();
        await page.goto(`${origin}/features/res-4/99999`);
        await page.locator("#status", { hasText: "index must be" }).waitFor();
      }));
  }));
