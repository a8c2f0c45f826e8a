import assert from "node:assert/strict";
import { join } from "node:path";
import { assertClose } from "../support/assert_close.ts";
import { withServer } from "../support/serve.ts";
import {
  type Notebook,
  NOTEBOOK_DIRECTORY,
  NOTEBOOKS,
  type Output,
  readNotebook,
  runNotebook,
} from "./run_notebook.ts";

const PROMPT = "Mary and John went to the store. John gave the cart to";
const PLOTLY = "application/vnd.plotly.v1+json";

/** Runs a notebook against a server, and compares what it puts out with what its file has. */
async function runAgain(name: string, use: (notebook: Notebook, origin: string) => Promise<void>) {
  const out = await Deno.makeTempFile({ suffix: ".ipynb" });
  try {
    await withServer(async ({ origin }) => {
      await runNotebook(name, { origin, out });
      const ran = await readNotebook(out);
      const kept = await readNotebook(join(NOTEBOOK_DIRECTORY, name));
      assert.equal(kept.cells.length, ran.cells.length);
      ran.cells.forEach((cell, index) => {
        assertAlike(
          cell.outputs ?? [],
          kept.cells[index]!.outputs ?? [],
          `cell ${index} of ${name}`,
        );
      });
      await use(ran, origin);
    }, { args: ["--model", "bundled"] });
  } finally {
    await Deno.remove(out);
  }
}

/** The same kinds of output, and the same text but for the last digit of its numbers. */
function assertAlike(ran: readonly Output[], kept: readonly Output[], where: string): void {
  const kinds = (outputs: readonly Output[]): string[][] =>
    outputs.map(({ output_type, data }) => [output_type, ...Object.keys(data ?? {}).sort()]);
  const hint = `${where} is not as its file has it: deno task notebooks runs and keeps it`;
  assert.deepEqual(kinds(ran), kinds(kept), hint);
  ran.forEach(({ data }, index) => {
    const [text, expected] = [data, kept[index]!.data].map((one) => textOf(one?.["text/plain"]));
    const decimals = /-?\d+\.\d+/g;
    assert.equal(text!.replace(decimals, "#"), expected!.replace(decimals, "#"), hint);
    const numbers = (all: string): number[] => (all.match(decimals) ?? []).map(Number);
    assertClose(numbers(text!), numbers(expected!), { atol: 0.011 });
  });
}

function textOf(lines: string | readonly string[] | undefined): string {
  return typeof lines === "string" ? lines : (lines ?? []).join("");
}

function picturesOf(notebook: Notebook, type: string): string[] {
  return notebook.cells.flatMap(({ outputs = [] }) =>
    outputs.flatMap(({ data }) => data?.[type] === undefined ? [] : [textOf(data[type])])
  );
}

Deno.test("info_flow.ipynb runs from top to bottom and draws what the notebook before it drew", () =>
  runAgain(NOTEBOOKS.python, async (notebook, origin) => {
    const pictures = picturesOf(notebook, "image/png");
    assert.equal(pictures.length, 4);
    for (const picture of pictures) {
      assert(picture.startsWith("iVBORw0KGgo"), "a PNG");
      assert(picture.length > 10_000, "with something in it");
    }

    const [{ data: [heatmap], layout }] = notebook.cells.flatMap(({ outputs = [] }) =>
      outputs.flatMap(({ data }) => data?.[PLOTLY] ?? [])
    ) as [{
      data: [{ type: string; z: { dtype: string; bdata: string } }];
      layout: Record<
        "xaxis" | "yaxis",
        { title: { text: string }; ticktext: string[]; autorange?: string }
      >;
    }];
    assert.equal(heatmap.type, "heatmap");
    assert.equal(layout.xaxis.title.text, "Attention patterns");
    assert.equal(layout.yaxis.title.text, "Target token for prediction");
    assert.equal(layout.yaxis.autorange, "reversed");
    const response = await fetch(`${origin}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        query: `{ infoFlow(prompt: "${PROMPT}", aggregation: NOTEBOOK) {
          tokens { text } matrix { values }
        } }`,
      }),
    });
    const { data: { infoFlow } } = await response.json();
    const tokens = infoFlow.tokens.map(({ text }: { text: string }) => text);
    assert.deepEqual(layout.xaxis.ticktext, tokens);
    assert.deepEqual(layout.yaxis.ticktext, tokens);
    assert.equal(heatmap.z.dtype, "f4");
    const drawn = new Float32Array(Uint8Array.fromBase64(heatmap.z.bdata).buffer);
    // What is above the diagonal is not drawn.
    assert.deepEqual(Array.from(drawn, (it) => Number.isNaN(it) ? 0 : it), infoFlow.matrix.values);
  }));

Deno.test("info_flow_deno.ipynb runs from top to bottom in Deno's kernel", () =>
  runAgain(NOTEBOOKS.deno, (notebook) => {
    const cells = picturesOf(notebook, "image/svg+xml").map((svg) => {
      assert.match(svg, /^<svg .*xmlns="http:\/\/www.w3.org\/2000\/svg"/);
      return svg.match(/<rect /g)?.length;
    });
    const causal = 13 * 14 / 2;
    assert.deepEqual(cells, [causal, 6 * causal, 3 * 6 * 8]);
    return Promise.resolve();
  }));

for (const name of Object.values(NOTEBOOKS)) {
  Deno.test(`notebooks/${name} says nothing of the machine that it ran on`, async () => {
    const { cells } = await readNotebook(join(NOTEBOOK_DIRECTORY, name));
    const outputs = JSON.stringify(cells.map(({ outputs }) => outputs ?? []));
    assert(!/\/(root|home|tmp|usr|Users)\/|file:|127\.0\.0\.1|localhost/.test(outputs));
    const { size } = await Deno.stat(join(NOTEBOOK_DIRECTORY, name));
    assert(size < 400_000, `${size} bytes`);
  });
}

Deno.test("dashboards.ipynb reads dashboards in polars and DuckDB, and a feature from a server", () =>
  runAgain(NOTEBOOKS.dashboards, (notebook) => {
    assert.equal(picturesOf(notebook, "image/png").length, 1);
    const tables = picturesOf(notebook, "text/plain").filter((text) => text.startsWith("shape:"));
    assert.equal(tables.length, 5);
    return Promise.resolve();
  }));
