import assert from "node:assert/strict";
import { brotliCompressSync } from "node:zlib";

const WEB = new URL("../../web/", import.meta.url).pathname;

Deno.test("web/dist/page.js is what `deno task page` makes of the modules, and small", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const out = `${directory}/page.js`;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--quiet", "--minify", "--platform", "browser", "-o", out, `${WEB}main.ts`],
    }).output();
    assert(success, new TextDecoder().decode(stderr));
    const made = await Deno.readTextFile(out);
    const committed = await Deno.readTextFile(`${WEB}dist/page.js`);
    assert(made === committed, "the bundle is stale: run `deno task page` and commit it");
    // Without its page.css and index.html, which take 5 KB.
    assert(brotliCompressSync(made).length < 100_000);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
