import fs from "node:fs";
import type { BrowserContextOptions, Page } from "playwright-core";

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

/** Opens a page in a Chromium of its own for as long as `use` runs. */
export function withPage(url: string, use: PageUse): Promise<void> {
  return withBrowser((open) => open(url, use));
}

/** What is done with an open page. */
export type PageUse = (page: Page, record: PageRecord) => Promise<void>;

/** How to open a page: Playwright's own settings of a browser context. */
export type OpenPage = (
  url: string,
  use: PageUse,
  options?: BrowserContextOptions,
) => Promise<void>;

/** Starts Chromium for as long as `use` runs; each page that is opened in it knows nothing of the others. */
export async function withBrowser(use: (open: OpenPage) => Promise<void>): Promise<void> {
  const browser = await chromium.launch({
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
    await use(async (url, usePage, options) => {
      const context = await browser.newContext({
        viewport: { width: 1280, height: 1000 },
        ...options,
      });
      const page = await context.newPage();
      const record = recordOf(page, url);
      await page.goto(url);
      await usePage(page, record);
      await context.close();
    });
  } finally {
    await browser.close();
  }
}

function recordOf(page: Page, url: string): PageRecord {
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
  return record;
}
