import assert from "node:assert/strict";
import { ask as askFor, settled, withPages } from "../support/page.ts";
import { stretchedSae } from "../support/stretched_sae.ts";

const PROMPT = "Mary and John went to the store. John gave the cart to";
const FEATURE = 873;
const STRETCHED = await stretchedSae();

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
            readonly [sae: string]: {
              activations: { position: number; feature: number; activation: number }[];
            };
          }
          const found = await ask<Data>(
            origin,
            `{ ${
              [["z3", "z-3"], ["res4", "res-4"], ["stretched", "res-4-stretched"]].map((
                [alias, sae],
              ) =>
                `${alias}: features(prompt: "${PROMPT}", sae: "${sae}", k: 4) {
                activations { position feature activation } }`
              ).join(" ")
            } }`,
          );
          const tokens = PROMPT.match(/ ?\w+|\./g)!.map((text) => text.replace(" ", "·"));
          const expected = [
            ["z-3", found["z3"]!],
            ["res-4", found["res4"]!],
            ["res-4-stretched", found["stretched"]!],
          ] as const;
          const bars = page.locator("#stage .cells").first();
          const says = await bars.locator("[data-place]").evaluateAll((cells) =>
            cells.map((cell) => cell.getAttribute("aria-label"))
          );
          assert.deepEqual(
            says.toSorted(),
            expected.flatMap(([sae, { activations }]) =>
              activations.map(({ position, feature, activation }) =>
                `Feature ${feature} of ${sae} at ${tokens[position - 1]}: ${activation.toFixed(2)}`
              )
            ).toSorted(),
          );
          const text = (await bars.locator("svg").textContent())!;
          assert(text.indexOf("layer 3") < text.indexOf("layer 4"), "by layer");
          const last = found["res4"]!.activations.filter(({ position }) => position === 13);
          assert.match(
            (await page.locator("#details caption").textContent())!,
            new RegExp(`feature ${last[0]!.feature} at`),
          );
          assert.deepEqual(record, { strangers: [], complaints: [] });
        }),
    );

    await t.step(
      "a feature's activations over the text are the API's, at every token",
      () =>
        open(`${origin}/#view=features&feature=555`, async (page, record) => {
          await settled(page);
          interface Data {
            features: { activations: { position: number; activation: number }[] };
          }
          const { features: { activations } } = await ask<Data>(
            origin,
            `{ features(prompt: "${PROMPT}", sae: "res-4", features: [555]) {
            activations { position activation } } }`,
          );
          const shown = await page.locator("#feature-text .token").evaluateAll((tokens) =>
            tokens.map((token) => token.getAttribute("data-share"))
          );
          const at = new Map(activations.map((it) => [it.position - 1, it.activation.toFixed(1)]));
          assert.deepEqual(shown, Array.from({ length: 13 }, (_, index) => at.get(index) ?? ""));
          await page.locator("#feature-text .token").nth(3).click();
          await page.waitForFunction(() => location.hash.includes("token=3"));
          await settled(page);
          assert.match(
            (await page.locator("#details caption").textContent())!,
            /feature 555 at ·went/,
          );
          assert.deepEqual(record, { strangers: [], complaints: [] });
        }),
    );

    await t.step(
      "the keyboard goes over the bars, and on to tokens that are not in sight",
      () =>
        open(
          `${origin}/#view=features&prompt=${encodeURIComponent(`${PROMPT} Anna. `.repeat(3))}`,
          async (page, record) => {
            await settled(page);
            const bars = page.locator("#stage .cells").first();
            const focused = (): Promise<string> =>
              page.evaluate(() => document.activeElement!.getAttribute("aria-label")!);
            const first = async (): Promise<number> => {
              const text = (await bars.locator("svg").textContent())!;
              return Number(/Tokens (\d+) to \d+ of \d+/.exec(text)![1]);
            };
            await bars.locator("[tabindex='0']").focus();
            const [begun, at] = [await focused(), await first()];
            await page.keyboard.press("ArrowDown");
            assert.notEqual(await focused(), begun);
            await page.keyboard.press("ArrowUp");
            assert.equal(await focused(), begun);
            for (let n = 0; n < 16; n++) await page.keyboard.press("ArrowLeft");
            assert(await first() < at, `from token ${at} to ${await first()}`);
            const there = await focused();
            await page.keyboard.press("Enter");
            await page.waitForFunction(() => /token=\d/.test(location.hash));
            await settled(page);
            const [, feature, sae] = /Feature (\d+) of ([\w-]+)/.exec(there)!;
            assert.match(
              (await page.locator("#stage h3").first().textContent())!,
              new RegExp(`^Feature ${feature} of ${sae}: [0-9.]+ at `),
            );
            assert.deepEqual(record, { strangers: [], complaints: [] });
          },
        ),
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
          // And how the flow changes: the token's largest changes are those of the API.
          await page.locator("#flow-change-details caption").waitFor();
          const { infoFlow } = await ask<{ infoFlow: { matrix: { values: number[] } } }>(
            origin,
            `{ infoFlow(prompt: "${PROMPT}", difference: true, interventions: [{ site: RESID_PRE,
              layer: 4, action: ZERO, feature: { sae: "res-4", index: ${FEATURE} } }]) {
              matrix { values } } }`,
          );
          const changes = infoFlow.matrix.values.slice(-13);
          const largest = Math.max(...changes.map(Math.abs));
          assert(largest > 0.01, `${largest}`);
          const share = page.locator("#flow-change-details tbody tr").first().locator("td").last();
          const shown = number((await share.textContent())!.replace("%", "")) / 100;
          assert(Math.abs(Math.abs(shown) - largest) < 1e-4, `${shown} for ${largest}`);
          assert.match(
            (await page.locator("#stage h3").last().textContent())!,
            new RegExp(`flow changes with feature ${FEATURE} off`),
          );
          assert.deepEqual(record, { strangers: [], complaints: [] });
        }),
    );

    await t.step(
      "the autoencoder says what it sees and how well it does here, and warns where that can't be",
      () =>
        open(`${origin}/#view=features`, async (page, record) => {
          await settled(page);
          interface Data {
            saes: {
              name: string;
              conversion: string;
              report: Record<"l0" | "explainedVariance" | "ceScore", number | null>;
              fit: Record<"l0" | "explainedVariance" | "ceScore", number> & {
                warning: string | null;
              };
            }[];
          }
          const { saes } = await ask<Data>(
            origin,
            `{ saes { name conversion report { l0 explainedVariance ceScore }
              fit(prompt: "${PROMPT}") { l0 explainedVariance ceScore warning } } }`,
          );
          for (const name of ["res-4", "res-4-stretched"]) {
            await page.getByLabel("Autoencoder").selectOption(name);
            await settled(page);
            await page.locator("#sae-fit caption", { hasText: `How well ${name} does` }).waitFor();
            const { conversion, report, fit } = saes.find((it) => it.name === name)!;
            assert.equal(
              await page.locator("#sae-conversion").textContent(),
              `It sees ${conversion}.`,
            );
            const cells = await page.locator("#sae-fit td").allTextContents();
            const said = (value: number | null, digits: number): string =>
              value === null ? "not said" : value.toFixed(digits).replace("-", "−");
            assert.deepEqual(cells, [
              said(fit.l0, 1),
              said(report.l0, 1),
              said(fit.explainedVariance, 2),
              said(report.explainedVariance, 2),
              said(fit.ceScore, 2),
              said(report.ceScore, 2),
            ]);
            assert.equal(fit.warning !== null, name === "res-4-stretched");
            assert.equal(await page.locator("#sae-warning").textContent(), fit.warning ?? "");
          }
          await page.getByLabel("Autoencoder").selectOption("z-3");
          await page.locator("#sae-fit caption", { hasText: "How well z-3 does" }).waitFor();
          // Zeros cost nothing there, so the score, which is divided by that, is not shown.
          assert.equal(await page.locator("#sae-fit td").nth(4).textContent(), "none");
          // Another prompt asks for no other fit, until it is wanted.
          const asked: string[] = [];
          page.on("request", (request) => {
            if (request.postData()?.includes("query Fit")) asked.push(request.url());
          });
          await page.getByLabel("Autoencoder").selectOption("res-4");
          await askFor(page, "Mary gave it to");
          const again = page.getByRole("button", { name: "Measure it on this prompt" });
          await again.waitFor();
          assert.match((await page.locator("#sae-fit caption").textContent())!, /“Mary and John/);
          assert.deepEqual(asked, []);
          await again.click();
          await page.locator("#sae-fit caption", { hasText: "on this prompt" }).waitFor();
          assert.equal(asked.length, 1);
          assert.deepEqual(record, { strangers: [], complaints: [] });
        }),
    );

    await t.step(
      "with a feature off, those that change most are listed, also of later autoencoders",
      () =>
        open(`${origin}/#view=features&sae=z-3`, async (page, record) => {
          await settled(page);
          assert.equal(await page.locator("#feature-changes tr").count(), 0);
          const caption = (await page.locator("#details caption").textContent())!;
          const feature = Number(/feature (\d+) at/.exec(caption)![1]);
          await page.getByRole("button", { name: "Off", exact: true }).click();
          await page.locator("#feature-changes caption").waitFor();
          type Rows = { activations: { position: number; feature: number; activation: number }[] };
          const off = `interventions: [{ site: Z, layer: 3, action: ZERO,
            feature: { sae: "z-3", index: ${feature} } }]`;
          const both = await ask<Record<string, Rows>>(
            origin,
            `{ ${
              ["z-3", "res-4"].map((sae, at) =>
                ["", `, ${off}`].map((change, isAfter) =>
                  `f${at}${isAfter}: features(prompt: "${PROMPT}", sae: "${sae}"${change}) {
                  activations { position feature activation } }`
                ).join(" ")
              ).join(" ")
            } }`,
          );
          const at = (name: string): Map<number, number> =>
            new Map(
              both[name]!.activations.filter(({ position }) => position === 13)
                .map(({ feature, activation }) => [feature, activation]),
            );
          const expected = ["z-3", "res-4"].flatMap((sae, n) => {
            const [before, after] = [at(`f${n}0`), at(`f${n}1`)];
            return [...new Set([...before.keys(), ...after.keys()])]
              .filter((index) => sae !== "z-3" || index !== feature)
              .map((index) => {
                const [from, to] = [before.get(index) ?? 0, after.get(index) ?? 0];
                const name = sae === "z-3" ? `#${index}` : `${sae} #${index}`;
                return { name, from, to, moved: Math.abs(to - from) };
              });
          }).filter(({ moved }) => moved >= 0.01).sort((a, b) => b.moved - a.moved).slice(0, 8);
          assert(expected.some(({ name }) => name.startsWith("res-4")));
          const text = (value: number): string => value === 0 ? "off" : value.toFixed(2);
          const rows = await page.locator("#feature-changes tbody tr").all();
          const shown = await Promise.all(
            rows.map((row) => row.locator("th, td").allTextContents()),
          );
          const own = shown.filter(([name]) => !name!.startsWith("res-4-stretched"));
          assert.deepEqual(
            own,
            expected.slice(0, own.length).map((
              { name, from, to },
            ) => [name, text(from), text(to)]),
          );
          const later = page.locator("#feature-changes button", { hasText: /^res-4 #/ }).first();
          const index = (await later.textContent())!.split("#")[1]!;
          await later.click();
          await page.waitForFunction(
            (index) =>
              location.hash.includes(`feature=${index}`) && !location.hash.includes("amount"),
            index,
          );
          await settled(page);
          assert.equal(await page.getByLabel("Autoencoder").inputValue(), "res-4");
          assert.equal(await page.locator("#feature-changes tr").count(), 0);
          assert.deepEqual(record, { strangers: [], complaints: [] });
        }),
    );

    await t.step(
      "a link to an autoencoder or a feature that is not there says so",
      async () => {
        await open(`${origin}/#view=features&sae=res-9`, async (page) => {
          await settled(page);
          assert.match(
            (await page.locator("#sae-conversion").textContent())!,
            /^There is no autoencoder res-9 here: this is res-4\. It sees /,
          );
        });
        await open(`${origin}/#view=features&feature=1024`, async (page) => {
          await page.locator("#status", { hasText: "whole number from 0 to 1023" }).waitFor();
          assert.match((await page.locator("#status").textContent())!, /current value is 1024/);
        });
      },
    );

    await t.step(
      "the features at a token: how much, how unusual, and what each does for the next token's loss",
      () =>
        open(`${origin}/#view=features&token=8`, async (page, record) => {
          await settled(page);
          type Row = {
            position: number;
            feature: number;
            activation: number;
            quantile: number;
            lossEffect: number;
          };
          const { features } = await ask<{ features: { activations: Row[] } }>(
            origin,
            `{ features(prompt: "${PROMPT}", sae: "res-4", k: 10, lossEffect: true) {
              activations { position feature activation quantile lossEffect } } }`,
          );
          const here = features.activations.filter(({ position }) => position === 9);
          await page.waitForFunction(() =>
            !document.querySelector("#features-here")!.textContent!.includes("…")
          );
          const rows = await page.locator("#features-here tbody tr").all();
          assert.equal(rows.length, here.length);
          for (const [n, row] of rows.entries()) {
            const [name, , quantile, effect] = await row.locator("th, td").allTextContents();
            const it = here[n]!;
            assert.equal(name, `#${it.feature}`);
            // In per cent with a digit or two, so half of a tenth is rounding.
            assert(Math.abs(Number.parseFloat(quantile!) - 100 * it.quantile) < 0.051, quantile!);
            assert.equal(number(effect!), Number(it.lossEffect.toFixed(2)));
          }
          await rows[1]!.getByRole("button").click();
          await page.waitForFunction(
            (feature) => location.hash.includes(`feature=${feature}`),
            here[1]!.feature,
          );
          await settled(page);
          await page.getByText("Its whole dashboard").click();
          await page.waitForURL(`${origin}/features/res-4/${here[1]!.feature}`);
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
  }, { args: ["--sae", `res-4-stretched=${STRETCHED}`] }));
