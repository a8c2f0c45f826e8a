// Reading less of a matrix: chosen targets, rows, and the largest numbers.
import assert from "node:assert/strict";
import { tableFromIPC } from "apache-arrow";
import { withApp } from "../support/app.ts";

const PROMPT = "Mary and John went to the store. John gave the cart to";

Deno.test("targets are rows of the whole matrix, in flows and of heads, by link in every layout", () =>
  withApp(async ({ query, fetch }) => {
    const asked = `prompt: ${JSON.stringify(PROMPT)}`;
    const { data } = await query(`{
      whole: infoFlow(${asked}, byLayer: true) { id matrix { values } }
      some: infoFlow(${asked}, byLayer: true, targets: [-1, 2, 2]) { id matrix { shape values url } }
      heads: attention(${asked}, layers: [4, 1], heads: [3], bos: DROP) { matrix { values } }
      last: attention(${asked}, layers: [1, 4], heads: [3], bos: DROP, targets: [-1, 0]) {
        matrix { shape values url }
      }
    }`);
    assert.deepEqual(data.some.matrix.shape, [6, 2, 13]);
    assert.deepEqual(data.last.matrix.shape, [2, 1, 2, 13]);
    assert.notEqual(data.some.id, data.whole.id);
    const rowsOf = (values: number[], rows: number[], matrices: number): number[] =>
      Array.from(
        { length: matrices },
        (_, matrix) =>
          rows.flatMap((row) =>
            values.slice((matrix * 13 + row) * 13, (matrix * 13 + row + 1) * 13)
          ),
      )
        .flat();
    assert.deepEqual(data.some.matrix.values, rowsOf(data.whole.matrix.values, [2, 12], 6));
    assert.deepEqual(data.last.matrix.values, rowsOf(data.heads.matrix.values, [0, 12], 2));
    assert.match(data.some.matrix.url, /targets=2,12/);

    for (const [{ matrix }, rows, matrices] of [[data.some, [2, 12], 6], [data.last, [0, 12], 2]]) {
      const { pathname, search } = new URL(matrix.url);
      const table = async (layout: string) =>
        tableFromIPC(await (await fetch(`${pathname}${search}&layout=${layout}`)).bytes());
      const list = await table("rows");
      const flat = (name: string): number[] =>
        Array.from(list.getChild(name)!).flatMap((it) =>
          typeof it === "number" ? [it] : Array.from(it as Iterable<number>)
        );
      assert.deepEqual(flat("flow"), matrix.values);
      assert.deepEqual(flat("target"), Array.from({ length: matrices }, () => rows).flat());
      assert.deepEqual(JSON.parse(list.schema.metadata.get("infoflow")!).targets, rows);
      const tidy = await table("tidy");
      const half = rows[0] + rows[1] + 2;
      assert.equal(tidy.numRows, matrices * half);
      assert.deepEqual(
        Array.from(tidy.getChild("weight")!).slice(rows[0] + 1, half),
        matrix.values.slice(13, 13 + rows[1] + 1),
      );
      assert.equal((await table("tensor")).numRows, matrices);
    }
  }, { policy: { passes: 10 } }));

Deno.test("rows are values row by row, null of more than two axes; top has the largest", () =>
  withApp(async ({ query }) => {
    const asked = `prompt: ${JSON.stringify(PROMPT)}`;
    const { data } = await query(`{
      flow: infoFlow(${asked}) { matrix { rows values top(n: 5) { target source weight layer } } }
      heads: attention(${asked}) {
        matrix { rows top(n: 3) { layer head target source position weight } }
      }
      change: infoFlow(${asked}, ablate: [{ layer: 2, head: 1 }], difference: true) {
        matrix { top(n: 4) { weight } values }
      }
      less: infoFlow(${asked}, targets: [-1]) { matrix { rows top { target source weight } } }
    }`);
    const { rows, values, top } = data.flow.matrix;
    assert.deepEqual(rows.flat(), values);
    assert.deepEqual(rows.map((row: number[]) => row.length), new Array(13).fill(13));
    const largest = values.toSorted((a: number, b: number) => b - a).slice(0, 5);
    assert.deepEqual(top.map(({ weight }: { weight: number }) => weight), largest);
    for (const { target, source, weight, layer } of top) {
      assert.equal(rows[target][source], weight);
      assert.equal(layer, null);
    }
    assert.equal(data.heads.matrix.rows, null);
    const [first] = data.heads.matrix.top;
    assert.equal(first.weight, 1, "the first row is BOS in itself, of every head");
    assert.deepEqual([first.layer, first.head, first.target, first.source], [0, 0, 0, 0]);
    assert.equal(first.position, null);
    const sizes = data.change.matrix.values.map(Math.abs).toSorted((a: number, b: number) => b - a);
    assert.deepEqual(
      data.change.matrix.top.map(({ weight }: { weight: number }) => Math.abs(weight)),
      sizes.slice(0, 4),
    );
    assert.deepEqual(data.less.matrix.rows, [rows[12]]);
    assert.equal(data.less.matrix.top.length, 10);
    assert(data.less.matrix.top.every(({ target }: { target: number }) => target === 12));
  }, { policy: { passes: 10 } }));

const REFUSED: [question: string, code: string, message: RegExp][] = [
  ['infoFlow(prompt: "a b", targets: [2])', "BAD_USER_INPUT", /must be -2 to 1: .* 2/],
  ['infoFlow(prompt: "a b", targets: [])', "BAD_USER_INPUT", /there must be one/],
  ['attention(prompt: "a b c d", cells: 2, targets: [0])', "BAD_USER_INPUT", /leave cells out/],
];
Deno.test("targets out of range, and a top of 0 or more than 4,096, are refused", () =>
  withApp(async ({ query }) => {
    for (const [question, code, message] of REFUSED) {
      const { errors } = await query(`{ ${question} { id } }`);
      assert.equal(errors![0]!.extensions.code, code);
      assert.match(errors![0]!.message, message);
    }
    for (const n of [0, 4097]) {
      const { errors } = await query(
        `{ infoFlow(prompt: "a") { matrix { top(n: ${n}) { weight } } } }`,
      );
      assert.equal(errors![0]!.extensions.code, "BAD_USER_INPUT");
    }
  }));
