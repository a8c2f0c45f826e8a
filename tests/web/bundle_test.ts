import assert from "node:assert/strict";
import { brotliCompressSync } from "node:zlib";

const WEB = new URL("../../web/", import.meta.url).pathname;

Deno.test("web/dist is what `deno task page` makes of the modules, and small", async () => {
  const directory = await Deno.makeTempDir();
  try {
    let size = 0;
    for (const [name, module] of [["page.js", "main.ts"], ["features.js", "features/main.ts"]]) {
      const out = `${directory}/${name}`;
      const { success, stderr } = await new Deno.Command(Deno.execPath(), {
        args: [
          "bundle",
          "--quiet",
          "--minify",
          "--platform",
          "browser",
          "-o",
          out,
          `${WEB}${module}`,
        ],
      }).output();
      assert(success, new TextDecoder().decode(stderr));
      const made = await Deno.readTextFile(out);
      const committed = await Deno.readTextFile(`${WEB}dist/${name}`);
      assert(made === committed, `${name} is stale: run \`deno task page\` and commit it`);
      size += brotliCompressSync(made).length;
    }
    // Without the stylesheets and HTML, which take 8 KB.
    assert(size < 100_000);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
