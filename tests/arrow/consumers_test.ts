// What we write is read by what people have: each matrix, layout and format by each reader, number by number.
import assert from "node:assert/strict";
import * as flechette from "@uwdata/flechette";
import * as arrow from "apache-arrow";
import { python } from "../support/python.ts";
import { withServer } from "../support/serve.ts";

const PROMPT = "Mary and John went to the store. John gave the cart to";
const FIELDS = {
  byLayer: `infoFlow(prompt: "${PROMPT}", byLayer: true)`,
  aggregate: `infoFlow(prompt: "${PROMPT}", aggregation: ROLLOUT, bos: KEEP)`,
  attention: `attention(prompt: "${PROMPT}", layers: [1, 4], heads: [0, 2, 3], bos: DROP)`,
  narrowed: `infoFlow(prompt: "${PROMPT}", byLayer: true, layers: [2, 5], heads: [7])`,
};
const LAYOUTS = ["rows", "tensor", "tidy"] as const;
const FORMATS = ["stream", "file"] as const;

/** A matrix as GraphQL says it in JSON, and where its Arrow is. */
interface Case {
  readonly url: string;
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  readonly values: readonly number[];
  readonly tokens: readonly string[];
  readonly dropped: readonly number[];
  readonly layers: readonly number[];
  readonly heads: readonly number[];
}

async function ask(origin: string, field: string): Promise<Case> {
  const query = `{ ${field} { tokens { text } matrix { url axes shape values } } }`;
  const response = await fetch(`${origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ query }),
  });
  const { tokens, matrix } = Object.values((await response.json()).data)[0] as {
    tokens: { text: string }[];
    matrix: Omit<Case, "tokens" | "dropped" | "layers" | "heads">;
  };
  const table = flechette.tableFromIPC(await (await fetch(matrix.url)).bytes());
  const all = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
  const { layers, heads } = JSON.parse(table.schema.metadata!.get("infoflow")!);
  return {
    ...matrix,
    tokens: tokens.map(({ text }) => text),
    dropped: Array.from(table.getChild("dropped")), // JSON has no other word for it
    layers: layers ?? all(6),
    heads: heads ?? all(8),
  };
}

/** A table with nulls, and what is to be read from it: types by pyarrow's names. */
interface TableCase {
  readonly url: string;
  readonly columns: Record<string, readonly [type: string, values: readonly unknown[]]>;
}

/** Tables with nulls, as GraphQL says them in JSON. */
async function askTables(origin: string): Promise<TableCase[]> {
  const prompt = JSON.stringify("Ann sat. Ann");
  const query = `{
    attribution(prompt: ${prompt}, token: 13) { url parts { kind layer head value centred } }
    headScores(prompt: ${prompt}) { url heads { layer head previousToken bos induction } }
    routes(prompt: ${prompt}, threshold: 0.1) { url edges { layer kind head source target weight } }
    logitLens(prompt: ${prompt}, k: 2) {
      url predictions { layer position rank id text logProbability probability }
    }
  }`;
  const body = JSON.stringify({ query });
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${origin}/graphql`, { method: "POST", headers, body });
  const { data } = await response.json();
  // deno-lint-ignore no-explicit-any -- rows of several tables
  const column = (type: string, rows: any[], value: (row: any) => unknown) =>
    [type, rows.map((row) => single(value(row)))] as const;
  const { parts } = data.attribution;
  const { heads } = data.headScores;
  const { edges } = data.routes;
  const { predictions } = data.logitLens;
  assert(parts.some(({ head }: { head: number | null }) => head === null));
  return [
    {
      url: data.attribution.url,
      columns: {
        kind: column("string", parts, (it) => it.kind),
        layer: column("int32", parts, (it) => it.layer),
        head: column("int32", parts, (it) => it.head),
        value: column("float", parts, (it) => it.value),
        centred: column("float", parts, (it) => it.centred),
        token: column("int32", parts, () => 13),
      },
    },
    {
      url: data.headScores.url,
      columns: {
        layer: column("int32", heads, (it) => it.layer),
        head: column("int32", heads, (it) => it.head),
        previous_token: column("float", heads, (it) => it.previousToken),
        bos: column("float", heads, (it) => it.bos),
        induction: column("float", heads, (it) => it.induction),
      },
    },
    {
      url: data.routes.url,
      columns: {
        layer: column("int32", edges, (it) => it.layer),
        kind: column("string", edges, (it) => it.kind),
        head: column("int32", edges, (it) => it.head),
        source: column("int32", edges, (it) => it.source),
        target: column("int32", edges, (it) => it.target),
        weight: column("float", edges, (it) => it.weight),
      },
    },
    {
      url: data.logitLens.url,
      columns: {
        layer: column("int32", predictions, (it) => it.layer),
        position: column("int32", predictions, (it) => it.position),
        rank: column("int32", predictions, (it) => it.rank),
        id: column("int32", predictions, (it) => it.id),
        token: column("string", predictions, (it) => it.text),
        log_probability: column("float", predictions, (it) => it.logProbability),
        probability: column("float", predictions, (it) => it.probability),
      },
    },
  ];
}

/** A number as Arrow has it, which may be less exact than JSON's. */
function single(value: unknown): unknown {
  return typeof value === "number" ? Math.fround(value) : value;
}

/** The columns of a table, lists of numbers laid out one after the other. */
type Columns = Record<string, (number | string)[]>;

const flat = (values: Iterable<unknown>): (number | string)[] =>
  Array.from(values).flatMap((value) =>
    typeof value === "object" && value !== null
      ? Array.from(value as Iterable<number>)
      : [value as number | string]
  );

const READERS: Record<string, (bytes: Uint8Array) => Columns> = {
  "apache-arrow": (bytes) => {
    const table = arrow.tableFromIPC(bytes);
    return Object.fromEntries(
      table.schema.fields.map(({ name }) => [name, flat(table.getChild(name)!)]),
    );
  },
  flechette: (bytes) => {
    const table = flechette.tableFromIPC(bytes);
    return Object.fromEntries(table.names.map((name) => [name, flat(table.getChild(name))]));
  },
};

/** What a layout is to say of a matrix. */
function expectedColumns(
  { axes, shape, values, tokens, dropped, layers, heads }: Case,
  layout: typeof LAYOUTS[number],
): Columns {
  const P = shape.at(-1)!;
  const matrices = axes.includes("head")
    ? layers.flatMap((layer) => heads.map((head) => ({ layer, head })))
    : axes.includes("layer")
    ? layers.map((layer) => ({ layer }))
    : [{}];
  const rows = matrices.flatMap((keys, matrix) =>
    Array.from({ length: P }, (_, target) => ({ keys, target, row: matrix * P + target }))
  );
  const columns: Columns = {};
  const put = (row: Record<string, number | string | readonly number[]>): void => {
    for (const [name, value] of Object.entries(row)) {
      (columns[name] ??= []).push(...(typeof value === "object" ? value : [value]));
    }
  };
  const flowOf = (row: number): readonly number[] => values.slice(row * P, (row + 1) * P);
  if (layout === "tensor") {
    matrices.forEach((keys, matrix) =>
      put({
        ...keys,
        dropped: dropped.slice(matrix * P, (matrix + 1) * P),
        flow: values.slice(matrix * P * P, (matrix + 1) * P * P),
      })
    );
  } else if (layout === "rows") {
    for (const { keys, target, row } of rows) {
      put({ ...keys, target, token: tokens[target]!, dropped: dropped[row]!, flow: flowOf(row) });
    }
  } else {
    for (const { keys, target, row } of rows) {
      flowOf(row).slice(0, target + 1).forEach((weight, source) =>
        put({ ...keys, target, source, weight })
      );
    }
  }
  return columns;
}

Deno.test("Python's and JavaScript's readers of Arrow read the same numbers, in every layout and format", () =>
  withServer(async ({ origin }) => {
    const cases = await Promise.all(Object.values(FIELDS).map((field) => ask(origin, field)));
    assert.deepEqual(cases.map(({ shape }) => shape), [
      [6, 13, 13],
      [14, 14],
      [2, 3, 13, 13],
      [2, 13, 13],
    ]);

    const program = await Deno.readTextFile(new URL("./consumers.py", import.meta.url));
    const tables = await askTables(origin);
    const input = { matrices: cases, tables };
    const read = await python(program, { input }) as Record<string, number>;
    const counts = LAYOUTS.flatMap((layout) =>
      cases.map((one) => Object.values(expectedColumns(one, layout)).flat().length)
    );
    const numbers = counts.reduce((a, b) => a + b);
    assert(numbers > 10_000);
    const inTables = tables.flatMap(({ columns }) => Object.values(columns))
      .reduce((sum, [, values]) => sum + values.length, 0);
    const consumers = ["pyarrow", "polars", "duckdb", "pandas", "nanoarrow", "arro3"];
    assert.deepEqual(read, {
      ...Object.fromEntries(consumers.map((name) => [`${name} tables`, inTables])),
      "pyarrow stream": numbers,
      "polars stream": numbers,
      "duckdb stream": numbers,
      "pandas stream": numbers,
      "nanoarrow stream": numbers,
      "arro3 stream": numbers,
      "pyarrow file": numbers,
      "polars file": numbers,
      "duckdb file": numbers,
      "pandas file": numbers,
      "arro3 file": numbers,
    });
    for (const { url, columns } of tables) {
      const bytes = await (await fetch(url)).bytes();
      const expected = Object.fromEntries(
        Object.entries(columns).map(([name, [, values]]) => [name, values]),
      );
      for (const [name, read] of Object.entries(READERS)) {
        assert.deepEqual(read(bytes), expected, `${name}, ${url}`);
      }
    }

    for (const one of cases) {
      for (const layout of LAYOUTS) {
        const expected = expectedColumns(one, layout);
        for (const format of FORMATS) {
          const url = `${one.url}&layout=${layout}&format=${format}`;
          const bytes = await (await fetch(url)).bytes();
          for (const [name, read] of Object.entries(READERS)) {
            assert.deepEqual(read(bytes), expected, `${name}, ${url}`);
          }
        }
      }
    }
  }));
