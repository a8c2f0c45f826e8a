import type { Page } from "playwright-core";

/** A feature of the bundled autoencoder `res-4`, and its page. */
export const FEATURE = 873;
export const CARD = `/features/res-4/${FEATURE}`;

/** Waits until the list, or the feature, is there. */
export async function drawn(page: Page): Promise<void> {
  await page.locator(".rows tbody a, .places .token").first().waitFor();
  await page.waitForLoadState("networkidle");
}

/** What links to features the list has in sight. */
export const rowTexts = (page: Page): Promise<string[]> =>
  page.locator(".rows tbody a").allTextContents();

/** What a button below a feature saves, by its name. */
export async function saved(page: Page, name: string): Promise<{ text: string; file: string }> {
  const waiting = page.waitForEvent("download");
  await page.locator(".take-away").getByText(name, { exact: true }).click();
  const download = await waiting;
  return {
    text: await Deno.readTextFile(await download.path()),
    file: download.suggestedFilename(),
  };
}
