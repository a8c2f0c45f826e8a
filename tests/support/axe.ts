import axe from "axe-core";
import type { Page } from "playwright-core";

/** What axe objects to on a page: the rule and the element. */
export async function objectionsTo(page: Page): Promise<string[]> {
  // What a test evaluates is not bound by the page's policy.
  await page.evaluate(axe.source);
  return await page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
    const { violations } = await axe.run();
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  });
}
