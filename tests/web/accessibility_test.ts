import assert from "node:assert/strict";
import { VIEW_NAMES } from "../../web/page_state.ts";
import { VIEWS } from "../../web/views/list.ts";
import { objectionsTo } from "../support/axe.ts";
import { settled, withPages } from "../support/page.ts";

Deno.test("axe finds nothing to object to, in any view, light and dark", () =>
  withPages(async (open, origin) => {
    for (const colorScheme of ["light", "dark"] as const) {
      await open(`${origin}/#off=1.1&amount=0`, async (page) => {
        for (const view of VIEW_NAMES) {
          await page.getByRole("tab", { name: VIEWS[view].tab }).click();
          await page.locator(`main[data-view=${view}]`).waitFor();
          await settled(page);
          await page.waitForLoadState("networkidle");
          const objections = await objectionsTo(page);
          assert.deepEqual(objections, [], `${view}, ${colorScheme}`);
        }
      }, { colorScheme });
    }
  }));
