import assert from "node:assert/strict";
import { withPage } from "../support/browser.ts";
import { withServer } from "../support/serve.ts";

/** A page of somebody else's that tries all that needs no permission. */
function attack(target: string): string {
  const arrow = `${target}/info-flow.arrow?prompt=a`;
  const query = JSON.stringify({ query: '{ infoFlow(prompt: "a") { cacheHit } }' });
  return `<!doctype html><title>trying</title>
    <iframe name="there"></iframe>
    <iframe src="${arrow}"></iframe>
    <form action="${target}/graphql" method="post" enctype="text/plain" target="there">
      <input name='${query.slice(0, -1)},"x":"' value='"}'>
    </form>
    <form action="${target}/graphql" target="there">
      <input name="query" value='{ infoFlow(prompt: "a") { cacheHit } }'>
    </form>
    <script>
      const image = new Promise((resolve) => {
        const img = new Image();
        img.onload = img.onerror = resolve;
        img.src = "${arrow}";
      });
      for (const form of document.forms) form.submit();
      const blind = fetch("${target}/graphql", {
        method: "POST", mode: "no-cors", headers: { "content-type": "text/plain" },
        body: ${JSON.stringify(query)},
      });
      const read = (path) => fetch("${target}" + path).then((r) => r.text(), () => "refused");
      Promise.allSettled([image, blind, read("/info-flow.arrow?prompt=a"), read("/graphql?query={cache{misses}}")])
        .then((all) => setTimeout(() => document.title = JSON.stringify(all.map((one) => one.value)), 300));
    </script>`;
}

Deno.test("a stranger's page in Chromium neither makes the device work nor reads an answer", () =>
  withServer(async ({ origin }) => {
    const stranger = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => new Response(attack(origin), { headers: { "content-type": "text/html" } }),
    );
    try {
      await withPage(`http://127.0.0.1:${stranger.addr.port}/`, async (page) => {
        await page.waitForFunction("document.title !== 'trying'");
        const [, , arrow, cache] = JSON.parse(await page.title());
        assert.deepEqual([arrow, cache], ["refused", "refused"]);
        // Our own page, below, asks for a flow by itself.
        const response = await fetch(`${origin}/graphql?query={cache{misses}}`);
        assert.deepEqual(await response.json(), { data: { cache: { misses: 0 } } });
        // A link to one of our pages may be followed all the same.
        const visit = await page.goto(`${origin}/`, { referer: "https://elsewhere.example/" });
        assert.equal(visit!.status(), 200);
      });
    } finally {
      await stranger.shutdown();
    }
  }));
