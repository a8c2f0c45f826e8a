import assert from "node:assert/strict";
import { tableFromIPC } from "apache-arrow";
import { ORIGIN, withApp } from "../support/app.ts";

const PROMPT = "Mary and John went to the store. John gave the cart to";

interface Listed {
  readonly index: number;
  readonly density: number;
  readonly max: number;
  readonly mean: number;
  readonly tokens: readonly string[];
  readonly promoted: readonly { readonly token: string }[];
}

Deno.test("features are listed by what is searched, and sorted", () =>
  withApp(async ({ query, fetch }) => {
    // By links: GraphQL has a limit of what a query may cost.
    const listed = async (options: string): Promise<Listed[]> => {
      const response = await fetch(`/feature-list.arrow?sae=res-4&first=1000&${options}`);
      assert.equal(response.status, 200);
      return tableFromIPC(await response.bytes()).toArray().map((row) => {
        const { tokens, promoted, ...rest } = row.toJSON();
        return { ...rest, tokens: [...tokens], promoted: [...promoted].map((it) => it.toJSON()) };
      });
    };
    const all = [...await listed("after=0"), ...await listed("after=1000")];
    assert.deepEqual(all.map(({ index }) => index), Array.from({ length: 1024 }, (_, n) => n));
    const { data } = await query('{ featureList(sae: "res-4") { total dead } }');
    const dead = all.filter(({ density }) => density === 0).length;
    assert.deepEqual(data.featureList, { total: 1024, dead });

    const rare = (await listed("order=RARITY&minDensity=0.001")).map(({ density }) => density);
    assert.deepEqual(rare.toSorted((a, b) => a - b), rare);
    const last = await listed("order=RARITY&maxDensity=0.00002");
    assert.deepEqual(last.slice(-dead).map(({ density }) => density), new Array(dead).fill(0));
    const means = (await listed("order=MEAN")).map(({ mean }) => mean);
    assert.deepEqual(means.toSorted((a, b) => b - a), means);

    const promotes = all.filter(({ promoted }) =>
      promoted.some(({ token }) => token.toLowerCase().includes("mark"))
    );
    assert.deepEqual(await listed("in=PROMOTED&search=mark"), promotes);
    assert(promotes.length > 0);
    // Every example counts for the search, and five tokens are shown.
    const shown = all.filter(({ tokens }) => tokens.some((it) => it.toLowerCase().includes(" to")));
    const found = new Set((await listed("in=TOKEN&search=+TO")).map(({ index }) => index));
    assert(shown.length > 5 && shown.every(({ index }) => found.has(index)));
    assert(found.size < all.length / 2);
    assert.deepEqual(await listed("in=LABEL&search=e"), []);
  }));

Deno.test("a feature and a list as Arrow have the numbers of GraphQL", () =>
  withApp(async ({ query, fetch }) => {
    const { data, errors } = await query(`{
      feature(sae: "res-4", index: 873) {
        url count density max corpus { rows positions } histogram
        nearest { feature label cosine } promoted { token logit }
        examples(n: 100) { prompt position activation text ids tokens activations }
        low: examples(n: 5, group: 0) { prompt }
      }
    }`);
    assert.equal(errors, undefined);
    const { url, ...card } = data.feature;
    const response = await fetch(url.slice(ORIGIN.length));
    assert.equal(response.status, 200);
    const table = tableFromIPC(await response.bytes());
    assert.equal(table.numRows, 1);
    const row = table.get(0)!.toJSON();
    for (const name of ["count", "density", "max"]) assert.equal(row[name], card[name]);
    assert.deepEqual([...row.histogram], card.histogram);
    assert.deepEqual([...row.nearest].map((it) => it.toJSON()), card.nearest);
    assert.deepEqual(
      [...row.promoted].map((it) => ({ token: it.token, logit: it.logit })),
      card.promoted,
    );
    const examples = [...row.examples].map((it) => it.toJSON());
    const largest = examples.filter(({ group }) => group === null);
    assert.deepEqual(
      largest.map(({ group: _, ids, tokens, activations, ...it }) => {
        return { ...it, ids: [...ids], tokens: [...tokens], activations: [...activations] };
      }),
      card.examples,
    );
    assert.deepEqual(
      examples.filter(({ group }) => group === 0).map(({ prompt }) => ({ prompt })),
      card.low,
    );
    const about = JSON.parse(table.schema.metadata.get("infoflow")!);
    assert.equal(about.positions, card.corpus.positions);
    // Its tag is of its bytes.
    const etag = response.headers.get("etag")!;
    const again = await fetch(url.slice(ORIGIN.length), { headers: { "if-none-match": etag } });
    assert.equal(again.status, 304);

    const list = await query(`{ featureList(sae: "z-3", order: MAX, first: 7, after: 3) {
      url features { index count tokens } } }`);
    const listed = tableFromIPC(
      await (await fetch(list.data.featureList.url.slice(ORIGIN.length))).bytes(),
    );
    assert.deepEqual(
      listed.toArray().map((it) => {
        const { index, count, tokens } = it.toJSON();
        return { index, count, tokens: [...tokens] };
      }),
      list.data.featureList.features,
    );
    const refused = await fetch("/feature.arrow?sae=res-4&index=1024");
    assert.equal(refused.status, 400);
    assert.match((await refused.json()).title, /index must be/);
  }));

Deno.test("an active feature has its quantile among its activations over the corpus", () =>
  withApp(async ({ query }) => {
    const { data, errors } = await query(
      `query ($prompt: String!) {
        features(prompt: $prompt, sae: "res-4", k: 1) {
          activations { position feature activation quantile label }
        }
        all: features(prompt: $prompt, sae: "res-4") { activations { position feature quantile } }
        scaled: features(prompt: $prompt, sae: "res-4", scale: DECODER_NORM) {
          activations { position feature quantile }
        }
      }`,
      { prompt: PROMPT },
    );
    assert.equal(errors, undefined);
    for (const { feature, activation, quantile, label } of data.features.activations) {
      const card = await query(
        `query ($feature: Int!, $activation: Float!) {
          feature(sae: "res-4", index: $feature) { quantile(activation: $activation) label }
        }`,
        { feature, activation },
      );
      assert.equal(quantile, card.data.feature.quantile);
      assert(quantile >= 0 && quantile <= 1);
      assert.equal(label, card.data.feature.label);
    }
    type Row = { position: number; feature: number; quantile: number };
    const byPlace = (rows: readonly Row[]): Map<string, number> =>
      new Map(rows.map((row) => [`${row.position} ${row.feature}`, row.quantile]));
    const quantiles = byPlace(data.all.activations);
    assert(quantiles.values().some((quantile) => quantile > 0 && quantile < 1));
    assert.deepEqual(byPlace(data.scaled.activations), quantiles, "the same on any scale");
  }));

Deno.test("the page of features is at any depth, with links that lead to the files beside it", () =>
  withApp(async ({ fetch }) => {
    for (
      const [path, root] of [
        ["/features", "./"],
        ["/features/", "../"],
        ["/features/res-4/873", "../../"],
        ["/features/gpt2-small-res-jb/blocks.8.hook_resid_pre/12", "../../../"],
      ] as const
    ) {
      const response = await fetch(path);
      assert.equal(response.status, 200);
      assert.match(response.headers.get("content-security-policy")!, /script-src 'self'/);
      const text = await response.text();
      assert(text.includes(`src="${root}features.js"`), path);
      assert(!/<script(?! type="module" src)|<style|style=/.test(text), "nothing is inline");
    }
    for (const path of ["/features.js", "/features.css"]) {
      const response = await fetch(path);
      assert.equal(response.status, 200);
      await response.body?.cancel();
    }
  }, { isLoaded: false }));
