import { withBrowser } from "./support/browser.ts";
const [origin, out, ...paths] = Deno.args;
await withBrowser(async (open) => {
  for (const scheme of ["light", "dark"] as const) {
    for (const [n, path] of paths.entries()) {
      await open(origin + path, async (page, record) => {
        await page.waitForLoadState("networkidle");
        await page.waitForTimeout(400);
        await page.screenshot({ path: `${out}/${n}-${scheme}.png` });
        console.log(
          path,
          scheme,
          JSON.stringify(record),
          await page.locator("#status").textContent(),
        );
      }, { colorScheme: scheme, viewport: { width: 1280, height: 900 } });
    }
  }
});
