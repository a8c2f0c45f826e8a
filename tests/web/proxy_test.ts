// Behind a token, under a path of a proxy, and in another page's frame.
import assert from "node:assert/strict";
import { encoded } from "../../web/calls/encoded.ts";
import { withBrowser } from "../support/browser.ts";
import { setOption, settled, unfold } from "../support/page.ts";
import { withServer } from "../support/serve.ts";

const PREFIX = "/user/ann/proxy/8000";

/** A proxy that serves another server under a path and strips it, for as long as `use` runs. */
async function withProxy(
  target: string,
  use: (origin: string) => Promise<void>,
  headers: Record<string, string> = {},
): Promise<void> {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      if (!pathname.startsWith(PREFIX)) return new Response("not here", { status: 404 });
      const passed = new Headers(request.headers);
      passed.delete("host");
      for (const [name, value] of Object.entries(headers)) passed.set(name, value);
      const { method } = request;
      const body = method === "POST" ? await request.arrayBuffer() : null;
      const url = target + (pathname.slice(PREFIX.length) || "/") + search;
      return await fetch(url, { method, headers: passed, body });
    },
  );
  await use(`http://127.0.0.1:${(server.addr as Deno.NetAddr).port}`);
}

Deno.test("Chromium asks for the token as a password; lines that are copied say where it goes", () =>
  withServer(async ({ origin }) => {
    const refused = await fetch(origin);
    assert.equal(refused.status, 401);
    assert.match(refused.headers.get("www-authenticate")!, /^Basic realm=.*, Bearer realm=/);
    await refused.body?.cancel();
    await withBrowser((open) =>
      open(`${origin}/`, async (page, { complaints }) => {
        await settled(page);
        await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
        await unfold(page, "Share");
        const copied: string[] = [];
        for (const kind of ["python", "javascript"]) {
          await page.locator(`#copies button[value=${kind}]`).click();
          copied.push(await page.evaluate(() => navigator.clipboard.readText()));
        }
        assert.match(copied[0]!, /infoflow\.connect\("http:.*", token="TOKEN"\)\.flow\(/);
        assert.match(copied[1]!, /authorization: "Bearer TOKEN"/);
        await page.goto(`${origin}/features/res-4/873`);
        await page.locator(".places .token").first().waitFor();
        assert.deepEqual(complaints, []);
      }, { httpCredentials: { username: "any", password: "opensesame" } })
    );
  }, { env: { INFOFLOW_TOKEN: "opensesame" } }));

Deno.test("under a path that a proxy strips, the page, GraphiQL and links work", () =>
  withServer(({ origin }) =>
    withProxy(origin, (proxy) =>
      withBrowser(async (open) => {
        await open(`${proxy}${PREFIX}/`, async (page, record) => {
          await settled(page);
          await unfold(page, "Share");
          for (const id of ["graphiql", "arrow"]) {
            const url = await page.locator(`#${id}`).evaluate((link) =>
              (link as HTMLAnchorElement).href
            );
            assert(url.startsWith(`${proxy}${PREFIX}/`), url);
            const response = await fetch(url);
            assert.equal(response.status, 200);
            await response.body?.cancel();
          }
          assert.deepEqual(record, { strangers: [], complaints: [] });
        });
        await open(`${proxy}${PREFIX}/features/res-4/873`, async (page, record) => {
          await page.locator(".places .token").first().waitFor();
          const arrow = await page.locator(".take-away a").getAttribute("href");
          assert(arrow!.startsWith(`${proxy}${PREFIX}/feature.arrow?`), arrow!);
          await page.getByText("All features").click();
          await page.waitForURL(`${proxy}${PREFIX}/features/res-4`);
          await page.locator(".rows tbody a").first().click();
          await page.locator(".places .token").first().waitFor();
          await page.getByText("One prompt").click();
          await settled(page);
          assert.equal(new URL(page.url()).pathname, `${PREFIX}/`);
          assert.deepEqual(record, { strangers: [], complaints: [] });
        });
        await open(`${proxy}${PREFIX}/graphql`, async (page) => {
          const answer = page.waitForResponse((response) =>
            response.request().method() === "POST" &&
            !response.request().postData()!.includes("__schema")
          );
          await page.locator("button[aria-label*=Execute], button.graphiql-execute-button").click();
          assert.equal((await answer).url(), `${proxy}${PREFIX}/graphql`);
        });
      }))
  ));

Deno.test("matrix.url keeps the path that a proxy says it strips, and the host that it was asked by", () =>
  withServer(({ origin }) =>
    withProxy(origin, async (proxy) => {
      const query = encodeURIComponent('{ infoFlow(prompt: "a") { matrix { url } } }');
      const response = await fetch(`${proxy}${PREFIX}/graphql?query=${query}`);
      const { url } = (await response.json()).data.infoFlow.matrix;
      assert(url.startsWith(`https://hub.example${PREFIX}/info-flow.arrow?`), url);
    }, {
      "x-forwarded-prefix": PREFIX,
      "x-forwarded-proto": "https, http",
      "x-forwarded-host": "hub.example",
    })
  ));

Deno.test("an allowed origin's page may show ours in a frame, others may not", () => {
  const frame = (target: string): string =>
    `<iframe src="${target}/" width=900 height=600></iframe>` +
    `<iframe src="${target}/features/res-4/873" width=900 height=600></iframe>`;
  let target = "";
  const serveFrame = (): Deno.HttpServer<Deno.NetAddr> =>
    Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => new Response(frame(target), { headers: { "content-type": "text/html" } }),
    );
  return (async () => {
    await using allowed = serveFrame();
    await using other = serveFrame();
    const [origin, stranger] = [allowed, other].map(({ addr }) => `http://localhost:${addr.port}`);
    await withServer(async (server) => {
      target = server.origin;
      await withBrowser(async (open) => {
        await open(origin!, async (page) => {
          const [inside, dashboard] = [0, 1].map((n) => page.frameLocator("iframe").nth(n));
          await inside!.locator("#picture[aria-busy=false]:not(.stale)").waitFor();
          await dashboard!.locator(".places .token").first().waitFor();
        });
        await open(stranger!, async (page) => {
          await page.waitForLoadState("networkidle");
          for (const n of [0, 1]) {
            const inside = page.frameLocator("iframe").nth(n);
            assert.equal(await inside.locator("#picture, #main").count(), 0);
          }
        });
      });
    }, { args: ["--allow-origin", origin!] });
  })();
});

Deno.test("links end in nothing that chats leave off; BOS can be left out or not be there", () =>
  withServer(({ origin }) =>
    withBrowser((open) =>
      open(`${origin}/`, async (page) => {
        await settled(page);
        for (const prompt of ["The cat sat.", "Is it so (yes)", "Hello world!", "it's *bold*"]) {
          await page.locator("#prompt").fill(prompt);
          await page.waitForFunction((end) => location.hash.endsWith(end), encoded(prompt));
          const link = page.url();
          assert.match(link, /%[0-9A-F]{2}$/);
          assert.equal(decodeURIComponent(link).endsWith(prompt), true);
        }
        await settled(page);
        const labels = (): Promise<string[]> => page.locator(".targets text").allTextContents();
        const shown = await labels();
        await setOption(page, "BOS", "NONE");
        await page.waitForFunction(() => location.hash.includes("bos=NONE"));
        await settled(page);
        assert.deepEqual(await labels(), shown, "the same tokens, read without BOS");
        assert.match((await page.locator("#count").textContent())!, /^5 of 256/);
      })
    )
  ));
