import assert from "node:assert/strict";
import { readFinishedRun } from "../../src/server/corpus/finished_run.ts";
import { withApp } from "../support/app.ts";
import { fakeRun } from "./fake_run.ts";

async function withRun(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    const lines = Array.from({ length: 40 }, (_, i) => i % 7 === 3 ? `<b>&"${i}` : `row ${i}`);
    await Deno.writeTextFile(`${directory}/rows.txt`, lines.join("\n"));
    await fakeRun({ input: `${directory}/rows.txt`, directory: `${directory}/run` });
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("a finished run is a page: a statistic of all heads, a head's profile and examples, each a way on", () =>
  withRun(async (directory) => {
    const corpus = await readFinishedRun(`${directory}/run`);
    assert.deepEqual([corpus.layers, corpus.heads, corpus.rows], [2, 3, 40]);
    await withApp(async ({ fetch }) => {
      const text = async (path: string): Promise<string> => {
        const response = await fetch(path);
        assert.equal(response.status, 200);
        return await response.text();
      };
      assert.match(await text("/"), /<a href="corpus" id="corpus">Corpus<\/a>/);
      const page = await text("/corpus?statistic=entropy_mean&head=1.2");
      assert.match(page, /<option value="entropy_mean" selected>/);
      assert.match(page, /<h2 id="head">Head 1\.2<\/h2>/);
      assert.equal(page.match(/<td class="shade-\d+">/g)!.length, 6);
      assert.match(page, /href="corpus\?statistic=entropy_mean&amp;head=0\.1"/);
      const value = corpus.all[5]!.values.entropy_mean!;
      assert(page.includes(value >= 10 ? value.toFixed(1) : value.toFixed(2)));
      const { examples: [best] } = corpus.all[5]!;
      const prompt = encodeURIComponent(best!.text!);
      const link = `./#prompt=${prompt}&amp;view=heads&amp;layer=1&amp;head=2&amp;token=${
        best!.target
      }`;
      assert(page.includes(link), link);
      assert.equal(page.match(/<li>/g)!.length, 4);
      assert(!page.includes("<b>")); // texts of the corpus are text
      // What can't be read is left at its default.
      assert.match(
        await text("/corpus?statistic=nonsense&head=9.9"),
        /selected>What a target takes/,
      );
      assert.equal((await fetch("/corpus.css")).status, 200);
    }, { corpus, isLoaded: false });
  }));

Deno.test("without a run there is no such page; what is no finished run is refused", () =>
  withRun(async (directory) => {
    await withApp(async ({ fetch }) => {
      assert.equal((await fetch("/corpus")).status, 404);
      assert.match(await (await fetch("/")).text(), /id="corpus" hidden/);
    }, { isLoaded: false });
    await assert.rejects(readFinishedRun(directory), /has no finished run: make one with/);
    await Deno.remove(`${directory}/run/examples.parquet`);
    await assert.rejects(readFinishedRun(`${directory}/run`), /the run is not finished/);
  }));
