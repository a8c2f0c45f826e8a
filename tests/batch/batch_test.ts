import { type Table, tableFromIPC, type Vector } from "apache-arrow";
import assert from "node:assert/strict";
import zlib from "node:zlib";
import { END_OF_STREAM } from "../../src/server/batch/encode_stream.ts";
import { BLOCKED_WORKER, type TestApp, withApp } from "../support/app.ts";
import { arrowBody } from "../support/arrow_table.ts";
import { readCorpus } from "../support/corpus.ts";

const TYPE = "application/vnd.apache.arrow.stream";

async function post(
  { fetch }: Pick<TestApp, "fetch">,
  path: string,
  body: Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = {},
): Promise<Response> {
  return await fetch(path, { method: "POST", body, headers: { "content-type": TYPE, ...headers } });
}

async function tableOf(response: Response): Promise<Table> {
  const text = response.status === 200 ? "" : await response.text();
  assert.equal(response.status, 200, text);
  const bytes = new Uint8Array(await response.arrayBuffer());
  assert.deepEqual([...bytes.subarray(-8)], [...END_OF_STREAM]);
  return tableFromIPC(bytes);
}

/** The values of a cell as plain arrays, in the precision that they have. */
function plain(value: unknown): unknown {
  if (value === null || typeof value !== "object") return value;
  if (ArrayBuffer.isView(value)) return Array.from(value as Float32Array);
  if (Symbol.iterator in value && !("toJSON" in value && !("length" in value))) {
    return Array.from(value as Iterable<unknown>, plain);
  }
  return plain(Object.values((value as { toJSON(): object }).toJSON()));
}

function column(table: Table, name: string): Vector {
  const vector = table.getChild(name);
  assert(vector, `there is no column ${name}`);
  return vector;
}

Deno.test("rows are answered as each by itself, to the bit: order, carried columns, errors as rows, one schema", () =>
  withApp(async (app) => {
    const { rows } = await readCorpus();
    const prompts = rows.map(({ prompt }) => prompt);
    const label = prompts.map((_, i) => `l${i}`);
    const body = arrowBody({
      label,
      prompt: prompts,
      number: prompts.map((_, i) => i),
    });
    const { entries } = (await app.query("{ cache { entries } }")).data.cache;
    const table = await tableOf(await post(app, "/info-flow.arrow?byLayer=true", body));
    assert.equal((await app.query("{ cache { entries } }")).data.cache.entries, entries);
    assert.deepEqual(
      table.schema.fields.map(({ name, type }) => `${name} ${type}`),
      [
        "label Utf8",
        "number Float64",
        "index Int64",
        "answer_id Utf8",
        "tokens List<Utf8>",
        "dropped List<List<Float32>>",
        "flow List<List<List<Float32>>>",
        "code Utf8",
        "message Utf8",
      ],
    );
    assert.equal(table.numRows, 200);
    assert.deepEqual(Array.from(column(table, "index"), Number), prompts.map((_, i) => i));
    assert.deepEqual([...column(table, "label")], label);
    const codes = [...column(table, "code")];
    assert.deepEqual(
      codes.map((code, i) => [i, code]).filter(([, code]) => code !== null),
      [[17, "PROMPT_TOO_LONG"], [101, "PROMPT_EMPTY"]],
    );
    assert.match(column(table, "message").get(17), /257 tokens/);
    assert.equal(column(table, "flow").get(17), null);
    assert.equal(JSON.parse(table.schema.metadata.get("infoflow")!).options.byLayer, true);
    for (const i of [0, 5, 16, 18, 60, 199]) {
      const query = new URLSearchParams({ prompt: prompts[i]!, byLayer: "true" });
      const response = await app.fetch(`/info-flow.arrow?${query}`);
      const alone = tableFromIPC(new Uint8Array(await response.arrayBuffer()));
      const { id, tokens, shape } = JSON.parse(alone.schema.metadata.get("infoflow")!);
      assert.equal(column(table, "answer_id").get(i), id);
      assert.deepEqual(plain(column(table, "tokens").get(i)), tokens);
      const [layers, targets] = shape;
      const flow = plain(column(table, "flow").get(i)) as unknown[][][];
      assert.deepEqual(flow.flat(), Array.from(column(alone, "flow"), plain));
      assert.deepEqual([flow.length, flow[0]!.length], [layers, targets]);
      const dropped = plain(column(table, "dropped").get(i)) as unknown[][];
      assert.deepEqual(dropped.flat(), [...column(alone, "dropped")]);
    }
  }));

const HEAD_OFF = encodeURIComponent(
  JSON.stringify([{ site: "Z", layer: 2, heads: [0], action: "ZERO" }]),
);

for (
  const [path, name] of [
    ["next-tokens.arrow?k=3", "next_tokens"],
    ["head-scores.arrow", "head_scores"],
    ["features.arrow?sae=res-4&k=4", "features"],
    ["features.arrow?sae=z-3&k=1&lossEffect=true", "features"],
    [`features.arrow?sae=res-4&k=4&interventions=${HEAD_OFF}`, "features"],
  ] as const
) {
  Deno.test(`tables by ${path}: a list of structs a row, as each by itself`, () =>
    withApp(async (app) => {
      const prompts = ["Alice and the Hatter had tea.", "", "the cat and the dog and the cat"];
      const table = await tableOf(await post(app, `/${path}`, arrowBody({ prompt: prompts })));
      assert.equal(column(table, name).get(1), null);
      assert.equal(column(table, "code").get(1), "PROMPT_EMPTY");
      for (const i of [0, 2]) {
        const [kind, query = ""] = path.split("?");
        const link = `/${kind}?${new URLSearchParams({ prompt: prompts[i]! })}&${query}`;
        const alone = tableFromIPC(new Uint8Array(await (await app.fetch(link)).arrayBuffer()));
        const structs = plain(column(table, name).get(i)) as unknown[][];
        assert(structs.length > 1);
        const names = alone.schema.fields.map((field) => field.name);
        const members = table.schema.fields.find((it) => it.name === name)!.type.children[0].type;
        assert.deepEqual(members.children.map((it: { name: string }) => it.name), names);
        names.forEach((member, at) =>
          assert.deepEqual(structs.map((values) => values[at]), [...column(alone, member)], member)
        );
      }
    }));
}

Deno.test("attention by head, flat and nested; ids; nulls; a dictionary", () =>
  withApp(async (app) => {
    const prompts = ["one two three", "one", null];
    const nested = await tableOf(
      await post(
        app,
        "/attention.arrow?layers=1,3&heads=0,2,5&bos=KEEP",
        arrowBody({ prompt: prompts }),
      ),
    );
    const flat = await tableOf(
      await post(
        app,
        "/attention.arrow?layers=1,3&heads=0,2,5&bos=KEEP&layout=flat",
        arrowBody({ prompt: prompts }),
      ),
    );
    const cell = plain(column(nested, "flow").get(0)) as unknown[][][][];
    assert.deepEqual([cell.length, cell[0]!.length, cell[0]![0]!.length], [2, 3, 4]);
    assert.deepEqual(plain(column(flat, "shape").get(0)), [2, 3, 4, 4]);
    assert.deepEqual(plain(column(flat, "flow").get(0)), cell.flat(3));
    assert.deepEqual(plain(column(flat, "shape").get(1)), [2, 3, 2, 2]);
    assert.equal(column(flat, "code").get(2), "PROMPT_EMPTY");
    const { accepted: [row] } = await readCorpus();
    const ids = [row!.ids, [50256, 50257], []];
    const byIds = await tableOf(await post(app, "/info-flow.arrow", arrowBody({ ids })));
    assert.deepEqual([...column(byIds, "code")], [null, "BAD_USER_INPUT", "PROMPT_EMPTY"]);
    const text = await tableOf(
      await post(app, "/info-flow.arrow", arrowBody({ prompt: [row!.prompt] })),
    );
    assert.deepEqual(plain(column(byIds, "flow").get(0)), plain(column(text, "flow").get(0)));
  }));

Deno.test("what can't be answered is refused before anything is computed, by name", () =>
  withApp(async (app) => {
    const good = arrowBody({ prompt: ["one"] });
    const refused = async (
      [path, body, headers]: [string, Uint8Array<ArrayBuffer>, Record<string, string>?],
      status: number,
      message: RegExp,
    ): Promise<void> => {
      const response = await post(app, path, body, headers);
      const { title: detail, code } = await response.json();
      assert.equal(response.status, status, detail);
      assert.match(detail, message);
      assert.equal(code, status === 413 ? "BODY_TOO_LARGE" : "BAD_USER_INPUT");
    };
    const flow = "/info-flow.arrow";
    await refused([flow, arrowBody({ text: ["one"] })], 400, /no column prompt: there are text/);
    await refused([flow, arrowBody({ prompt: [1, 2] })], 400, /must have texts, or lists of whole/);
    await refused([flow, arrowBody({ prompt: ["a"], flow: ["b"] })], 400, /carry the column flow/);
    await refused([flow, good.subarray(0, -8)], 400, /as it is cut/);
    await refused([flow, good.subarray(0, 100)], 400, /must be a stream of Arrow IPC|is cut/);
    await refused([flow, new TextEncoder().encode('{"prompt":"one"}')], 400, /stream of Arrow IPC/);
    await refused([flow, new Uint8Array(0)], 400, /it is empty/);
    await refused(
      [flow, good, { "content-type": "application/json" }],
      400,
      /Content-Type must be/,
    );
    await refused([`${flow}?prompt=x`, good], 400, /prompt must be a column of the body/);
    await refused([`${flow}?layout=tidy`, good], 400, /layout must be one of nested, flat/);
    await refused([`${flow}?bylayer=true`, good], 400, /a parameter must be one of/);
    await refused([`${flow}?model=gpt9`, good], 400, /gpt9/);
    const many = arrowBody({ prompt: new Array(4097).fill("a") });
    await refused([flow, many], 413, /4,097 rows in a request as the limit is 4,096/);
    const large = arrowBody({ prompt: ["x".repeat(9 * 2 ** 20)] });
    await refused(
      [flow, large],
      413,
      /limit of its body is 8,388,608 bytes: send the rows in parts/,
    );
    const rows = await tableOf(
      await post(app, `${flow}?layers=99`, arrowBody({ prompt: ["a", "b"] })),
    );
    assert.deepEqual([...column(rows, "code")], ["BAD_USER_INPUT", "BAD_USER_INPUT"]);
    const long = await tableOf(
      await post(app, flow, arrowBody({ prompt: ["y ".repeat(2 ** 20)] })),
    );
    assert.deepEqual([...column(long, "code")], ["PROMPT_TOO_LONG"]);
  }));

Deno.test("the answer is made as it is read; at most four are open; a client that leaves frees its place", () =>
  withApp(async (app) => {
    const body = arrowBody({ prompt: Array.from({ length: 600 }, (_, i) => `row number ${i}`) });
    const computed = async (): Promise<number> => {
      const text = await (await app.fetch("/metrics")).text();
      return Number(text.match(/infoflow_tokens_total\{computed="true"\} (\d+)/)?.[1] ?? 0);
    };
    const open = await Promise.all([1, 2, 3, 4].map(() => post(app, "/info-flow.arrow", body)));
    const fifth = await post(app, "/info-flow.arrow", body);
    assert.equal(fifth.status, 503);
    assert.equal(fifth.headers.get("retry-after"), "5");
    assert.equal((await fifth.json()).code, "OVERLOADED");
    const readers = open.map((response) => response.body!.getReader());
    await readers[0]!.read(); // the schema
    await readers[0]!.read(); // 64 rows; 64 more at most are begun
    await new Promise((resolve) => setTimeout(resolve, 500));
    await Promise.all(readers.map((reader) => reader.cancel()));
    await new Promise((resolve) => setTimeout(resolve, 100));
    const tokens = await computed();
    assert(tokens > 0 && tokens < 200 * 6, `${tokens} tokens`); // of 600 rows of 5 tokens
    const again = await tableOf(await post(app, "/info-flow.arrow", body));
    assert.equal(again.numRows, 600);
    const lines = app.log.filter((line) => line.includes("batch"));
    assert.equal(lines.filter((line) => line.includes("CANCELLED")).length, 4);
    assert(lines.some((line) => line.includes("OK") && line.includes("600")));
  }, { lines: { format: "json", requests: true, prompts: false } }));

Deno.test("a fault of the server is an error of the body, not its end", () =>
  withApp(async (app) => {
    const body = arrowBody({ prompt: Array.from({ length: 300 }, (_, i) => `row number ${i}`) });
    const response = await post(app, "/info-flow.arrow", body);
    const reader = response.body!.getReader();
    await reader.read();
    await reader.read();
    app.server.worker!.cancel(); // as at the end of the server
    await assert.rejects(async () => {
      while (!(await reader.read()).done);
    }, { code: "CANCELLED" });
  }));

Deno.test("equal prompts are computed once", () =>
  withApp(async (app) => {
    const before = app.server.worker!.stats;
    const body = arrowBody({ prompt: new Array(1000).fill("the same words again") });
    const table = await tableOf(await post(app, "/info-flow.arrow", body));
    assert.equal(table.numRows, 1000);
    assert.equal(new Set(column(table, "answer_id")).size, 1);
    const text = await (await app.fetch("/metrics")).text();
    assert.match(text, /infoflow_tokens_total\{computed="true"\} 5\n/);
    assert.equal(before.restarts, 0);
  }));

const CODINGS = {
  zstd: [zlib.zstdCompressSync, zlib.zstdDecompressSync],
  br: [zlib.brotliCompressSync, zlib.brotliDecompressSync],
  gzip: [zlib.gzipSync, zlib.gunzipSync],
} as const;

Deno.test("bodies are compressed both ways: the same answer, each record batch readable as it comes; bombs and cut bodies are refused", () =>
  withApp(async (app) => {
    const body = arrowBody({ prompt: Array.from({ length: 150 }, (_, i) => `row number ${i}`) });
    const plain = await (await post(app, "/info-flow.arrow", body)).bytes();
    for (const [coding, [compress, decompress]] of Object.entries(CODINGS)) {
      const sent = new Uint8Array(compress(body));
      const headers = { "content-encoding": coding, "accept-encoding": coding };
      const response = await post(app, "/info-flow.arrow", sent, headers);
      assert.equal(response.status, 200, coding);
      assert.equal(response.headers.get("content-encoding"), coding);
      assert.equal(response.headers.get("vary"), "accept-encoding");
      const bytes = await response.bytes();
      assert(bytes.length < 0.8 * plain.length);
      assert.deepEqual(new Uint8Array(decompress(bytes)), plain, coding);

      const bomb = new Uint8Array(compress(new Uint8Array(64 * 2 ** 20)));
      assert(bomb.length < 2 ** 17);
      for (
        const [wrong, status, message] of [
          [bomb, 413, /limit of its body is 8,388,608 bytes/],
          [sent.subarray(0, -9), 400, /must be \w+:|is cut|must be a stream of Arrow/],
          [body, 400, /must be \w+:|must be a stream of Arrow/],
        ] as const
      ) {
        const refused = await post(app, "/info-flow.arrow", wrong, { "content-encoding": coding });
        assert.equal(refused.status, status, coding);
        assert.match((await refused.json()).title, message);
      }
    }
    const other = await post(app, "/info-flow.arrow", body, { "content-encoding": "compress" });
    assert.equal(other.status, 400);
    assert.match((await other.json()).title, /must be one of zstd, br, gzip: .* compress/);

    // The first 64 rows can be read while the others are made.
    const reader = (await post(app, "/info-flow.arrow", body, { "accept-encoding": "gzip" })).body!
      .getReader();
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    for (let rows = 0; rows === 0;) {
      const { done, value } = await reader.read();
      assert(!done);
      pieces.push(value);
      const whole = await new Blob(pieces).bytes();
      const { Z_SYNC_FLUSH: finishFlush } = zlib.constants;
      rows = tableFromIPC(zlib.gunzipSync(whole, { finishFlush })).numRows;
      assert([0, 64].includes(rows), `${rows} rows`);
    }
    await reader.cancel();
  }));

Deno.test("a row that misses its deadline is a row with DEADLINE_EXCEEDED; each row has a deadline of its own", () =>
  withApp(async (app) => {
    const body = arrowBody({ prompt: ["one", "two", ""] });
    const table = await tableOf(await post(app, "/info-flow.arrow", body));
    const late = "DEADLINE_EXCEEDED";
    assert.deepEqual([...column(table, "code")], [late, late, "PROMPT_EMPTY"]);
    assert.match(column(table, "message").get(0), /Cannot answer the row within 0.1 seconds/);
  }, { policy: { deadline: 100 }, models: { module: BLOCKED_WORKER } }));

Deno.test("very short prompts fill two passes at the worker, and all are answered", () =>
  withApp(async (app) => {
    const tables = await Promise.all([1, 2, 3].map(async (batch) => {
      const ids = Array.from({ length: 300 }, (_, i) => [50256, 1000 * batch + i]);
      return await tableOf(await post(app, "/info-flow.arrow", arrowBody({ ids })));
    }));
    for (const table of tables) {
      assert.equal(table.numRows, 300);
      assert.equal(column(table, "code").nullCount, 300);
    }
  }));
