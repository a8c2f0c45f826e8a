// What is handed to `page.evaluate` runs in the browser.
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import assert from "node:assert/strict";
import { objectionsTo } from "../support/axe.ts";
import { CARD, drawn, FEATURE, rowTexts, saved } from "../support/feature_pages.ts";
import { withPages } from "../support/page.ts";
import { python } from "../support/python.ts";

const LABELS = {
  [FEATURE]: "to, behind a verb of giving",
  3: "<b>not bold</b> & \u0639\u0631\u0628\u064a",
};

/** The bundled dashboards with labels, and without a `list.parquet`. */
async function labelled(): Promise<string> {
  const directory = await Deno.makeTempDir();
  const bundled = new URL("../../weights/bundled/sae/res-4/dashboards/", import.meta.url).pathname;
  await Deno.copyFile(`${bundled}examples.parquet`, `${directory}/examples.parquet`);
  await Deno.writeTextFile(`${directory}/_infoflow.json`, `{"options": {"sae": "res-4"}}`);
  await python(
    `
import sys, json, pyarrow as pa, pyarrow.parquet as pq
table = pq.read_table(sys.argv[1])
labels = json.loads(sys.argv[3])
column = pa.array([labels.get(str(n)) for n in range(len(table))], pa.string())
at = table.schema.get_field_index("label")
pq.write_table(table.set_column(at, table.schema.field(at), column), sys.argv[2], row_group_size=256)
print("null")
`,
    {
      args: [
        `${bundled}features.parquet`,
        `${directory}/features.parquet`,
        JSON.stringify(LABELS),
      ],
    },
  );
  return directory;
}

Deno.test("dashboards with labels, and without a mouse or colours", async (t) => {
  const dashboards = await labelled();
  await withPages(async (open, origin) => {
    await t.step(
      "labels are texts wherever a feature is: list, search, page, one prompt",
      () =>
        open(`${origin}/features#search=VERB&in=LABEL`, async (page, record) => {
          await drawn(page);
          assert.deepEqual(await rowTexts(page), [`#${FEATURE}`]);
          assert.equal(await page.locator(".rows tbody th bdi").textContent(), LABELS[FEATURE]);
          await page.getByLabel("Find").fill("bold");
          await page.waitForFunction(() =>
            document.querySelector(".rows tbody a")?.textContent === "#3"
          );
          assert.equal(await page.locator(".rows tbody th bdi").textContent(), LABELS[3]);
          await page.locator(".rows tbody a").click();
          await page.locator(".places .token").first().waitFor();
          assert.equal(await page.locator(".card h2 bdi").textContent(), LABELS[3]);
          assert.equal(JSON.parse((await saved(page, "JSON")).text).label, LABELS[3]);
          const prompt = "Mary and John went to the store. John gave the cart to";
          const state = `prompt=${
            encodeURIComponent(prompt)
          }&view=features&sae=res-4&feature=${FEATURE}&token=12`;
          await page.goto(`${origin}/#${state}`);
          await page.locator("#main bdi", { hasText: LABELS[FEATURE]! }).first().waitFor();
          assert.deepEqual(record, { strangers: [], complaints: [] });
        }),
    );

    await t.step(
      "by touch: a row opens its feature, a token what fed it",
      () =>
        open(`${origin}/features`, async (page, record) => {
          await drawn(page);
          await page.locator(".rows tbody a").nth(2).tap();
          const token = page.locator(".places .token.from").first();
          await token.tap();
          await page.locator(".places .sources td").first().waitFor();
          assert.match((await page.locator(".tip").textContent())!, /: |adds/);
          await page.goBack();
          await drawn(page);
          assert.deepEqual(record, { strangers: [], complaints: [] });
        }, { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }),
    );

    await t.step(
      "by keyboard alone: from the address to a feature, and through its text",
      () =>
        open(`${origin}/features`, async (page, record) => {
          await drawn(page);
          /** Presses Tab until what has the focus is of a kind. */
          const tabTo = async (selector: string): Promise<void> => {
            for (let presses = 0; presses < 60; presses++) {
              await page.keyboard.press("Tab");
              if (
                await page.evaluate((one) => document.activeElement?.matches(one), selector)
              ) {
                return;
              }
            }
            assert.fail(`Tab doesn't come to ${selector}`);
          };
          await tabTo(".rows tbody a");
          await page.keyboard.press("ArrowDown");
          await page.keyboard.press("Enter");
          await page.locator(".places .token").first().waitFor();
          await tabTo(".places .token");
          await page.keyboard.press("Home");
          await page.keyboard.press("Enter");
          await page.locator(".places .sources td").first().waitFor();
          await tabTo("details.fold summary");
          await page.keyboard.press("Enter");
          await page.locator("details.fold[open] .token").first().waitFor();
          assert.deepEqual(record, { strangers: [], complaints: [] });
        }),
    );

    await t.step(
      "in forced colours numbers say what colours don't",
      () =>
        open(origin + CARD, async (page) => {
          await drawn(page);
          const said = await page.locator(".places .token.from").first().evaluate((token) =>
            getComputedStyle(token, "::after").content
          );
          assert.match(said, /11/);
          await page.getByRole("button", { name: "What fed it" }).first().click();
          await page.locator(".sources td").first().waitFor();
          assert.deepEqual(await objectionsTo(page), []);
        }, { forcedColors: "active" }),
    );
  }, { args: ["--dashboards", dashboards] });
  await Deno.remove(dashboards, { recursive: true });
});
