import fs from "node:fs";
import type { Browser, Page } from "playwright-core";

// Playwright looks into /proc for whether this is Windows' Linux. Deno lets nobody look there who may not do
// everything, so the question is answered for it.
const { existsSync } = fs;
fs.existsSync = (path) => !String(path).startsWith("/proc/") && existsSync(path);
const { chromium } = await import("playwright-core");

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Where Chromium is; `./run test` installs it on Debian. */
async function chromiumPath(): Promise<string> {
  for (const directory of (Deno.env.get("PATH") ?? "").split(":")) {
    for (const name of NAMES) {
      const path = `${directory}/${name}`;
      if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return path;
    }
  }
  throw new Error("Cannot find Chromium: install it (Debian: apt-get install chromium)");
}

/** What a page asked for and said while it was open. */
export interface PageRecord {
  /** Requests to another origin than the page's. */
  readonly strangers: string[];
  /** Errors and warnings on the console. */
  readonly complaints: string[];
}

/** Opens a page in Chromium for as long as `use` runs. */
export async function withPage(
  url: string,
  use: (page: Page, record: PageRecord) => Promise<void>,
): Promise<void> {
  const browser: Browser = await chromium.launch({
    executablePath: await chromiumPath(),
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
    ],
  });
  try {
    const page = await browser.newPage();
    const record: PageRecord = { strangers: [], complaints: [] };
    const { origin } = new URL(url);
    page.on("request", (request) => {
      const asked = new URL(request.url());
      const isOurs = asked.origin === origin || ["data:", "blob:"].includes(asked.protocol);
      if (!isOurs) record.strangers.push(request.url());
    });
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) record.complaints.push(message.text());
    });
    page.on("pageerror", (error) => record.complaints.push(error.message));
    await page.goto(url);
    await use(page, record);
  } finally {
    await browser.close();
  }
}
