import assert from "node:assert/strict";
import axe from "axe-core";
import { VIEW_NAMES } from "../../web/page_state.ts";
import { VIEWS } from "../../web/views/list.ts";
import { settled, withPages } from "../support/page.ts";

Deno.test("axe finds nothing to object to, in any view, light and dark", () =>
  withPages(async (open, origin) => {
    for (const colorScheme of ["light", "dark"] as const) {
      await open(`${origin}/#off=1.1`, async (page) => {
        for (const view of VIEW_NAMES) {
          await page.getByRole("tab", { name: VIEWS[view].tab }).click();
          await settled(page);
          await page.waitForLoadState("networkidle");
          // What a test evaluates is not bound by the page's policy.
          await page.evaluate(axe.source);
          const objections = await page.evaluate(async () => {
            const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
            const { violations } = await axe.run();
            return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
          });
          assert.deepEqual(objections, [], `${view}, ${colorScheme}`);
        }
      }, { colorScheme });
    }
  }));
