// What other clients than ours send, and what they get: spreadsheets, Java's HttpClient, typed clients of GraphQL.
import assert from "node:assert/strict";
import { withApp } from "../support/app.ts";
import { withServer } from "../support/serve.ts";

/** The cells of a CSV file, texts without their quotes. */
function cellsOf(csv: string): string[][] {
  return csv.trimEnd().split("\r\n").map((line) =>
    Array.from(
      line.matchAll(/("((?:[^"]|"")*)"|[^,]*)(?:,|$)/g),
      ([, cell, text]) => text === undefined ? cell! : text.replaceAll('""', '"'),
    ).slice(0, -1)
  );
}

Deno.test("CSV by link is what Arrow says, with a byte order mark and tokens that stay texts", () =>
  withApp(async ({ fetch, query }) => {
    const prompt = encodeURIComponent('=1+1 "007" Mary, 3/4');
    const response = await fetch(`/info-flow.csv?prompt=${prompt}&byLayer=true`);
    assert.equal(response.headers.get("content-type"), "text/csv; charset=utf-8; header=present");
    assert.match(response.headers.get("content-disposition")!, /info-flow-[0-9a-f]{8}\.csv"/);
    const bytes = await response.bytes();
    assert.deepEqual(Array.from(bytes.subarray(0, 3)), [0xef, 0xbb, 0xbf]);
    const [head, ...rows] = cellsOf(new TextDecoder().decode(bytes));
    assert.deepEqual(head, [
      ...["layer", "target", "target_token", "source", "source_token", "weight"],
    ]);
    const { data: { infoFlow: { tokens, matrix } } } = await query(
      `query ($prompt: String) {
        infoFlow(prompt: $prompt, byLayer: true) { tokens { text } matrix { values shape } }
      }`,
      { prompt: '=1+1 "007" Mary, 3/4' },
    );
    const P = tokens.length;
    assert.equal(rows.length, matrix.shape[0] * P * (P + 1) / 2);
    for (const [layer, target, targetToken, source, sourceToken, weight] of rows) {
      const at = (Number(layer) * P + Number(target)) * P + Number(source);
      assert.equal(Math.fround(Number(weight)), Math.fround(matrix.values[at]));
      for (const [token, position] of [[targetToken, target], [sourceToken, source]] as const) {
        assert.equal(token!.replace(/^'/, ""), tokens[Number(position)].text);
        assert(!/^\s*[=+\-@\d]/.test(token!), `a spreadsheet would not leave ${token} a text`);
      }
    }
    const asked = await fetch(`/next-tokens.arrow?prompt=${prompt}&k=3`, {
      headers: { accept: "text/csv" },
    });
    assert.match(asked.headers.get("content-type")!, /^text\/csv/);
    assert.match(asked.headers.get("vary")!, /accept(,|$)/);
    assert.equal(cellsOf((await asked.text()).slice(1)).length, 4);
    const arrow = await fetch(`/next-tokens.arrow?prompt=${prompt}&k=3`, {
      headers: { accept: "*/*" },
    });
    assert.match(arrow.headers.get("content-type")!, /arrow\.stream/);
    await arrow.body?.cancel();
    const refused = await fetch("/info-flow.csv?prompt=a&bos=maybe");
    assert.equal((await refused.json()).code, "BAD_USER_INPUT");
  }));

Deno.test("no url is longer than what is read: it is null, and a hint says what to do", () =>
  withApp(async ({ query, fetch }) => {
    const ask = async (prompt: string) => {
      const answer = await query(
        `query ($prompt: String) {
          nextTokens(prompt: $prompt) { url }
          infoFlow(prompt: $prompt) { matrix { url } }
        }`,
        { prompt },
      );
      return answer as typeof answer & { extensions?: { hints: string[] } };
    };
    const long = await ask("-".repeat(16_320));
    assert.equal(long.errors, undefined);
    assert.equal(long.data.infoFlow.matrix.url, null);
    assert.match(long.extensions!.hints[0]!, /url is null .* ask for arrow, or POST this query/);
    const fitting = await ask("-".repeat(16_200));
    assert.equal(fitting.extensions, undefined);
    const { pathname, search } = new URL(fitting.data.infoFlow.matrix.url);
    const response = await fetch(pathname + search);
    assert.equal(response.status, 200);
    await response.body?.cancel();
  }));

Deno.test("a query's hash alone gets the error that makes clients send the query", () =>
  withApp(async ({ fetch }) => {
    const persistedQuery = { version: 1, sha256Hash: "ab".repeat(32) };
    const extensions = { persistedQuery };
    const get = `/graphql?extensions=${encodeURIComponent(JSON.stringify(extensions))}`;
    const post = (body: unknown): RequestInit => ({
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    for (const response of [await fetch(get), await fetch("/graphql", post({ extensions }))]) {
      assert.equal(response.status, 200);
      const { errors } = await response.json();
      assert.equal(errors[0].message, "PersistedQueryNotSupported");
      assert.equal(errors[0].extensions.code, "PERSISTED_QUERY_NOT_SUPPORTED");
    }
    const query = "{ model { layers } }";
    const whole = await fetch("/graphql", post({ query, extensions }));
    assert.deepEqual(await whole.json(), { data: { model: { layers: 6 } } });
  }));

Deno.test("a client that offers h2c, as Java's HttpClient and curl --http2 do, is answered", () =>
  withServer(async ({ origin }) => {
    const { hostname, port } = new URL(origin);
    const offer =
      "Connection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n" +
      "Upgrade: h2c\r\n";
    const body = '{"query":"{model{layers}}"}';
    const requests = [
      `GET /healthz HTTP/1.1\r\nHost: ${hostname}:${port}\r\n${offer}\r\n`,
      `GET /healthz HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Length: 0\r\n${offer}\r\n`,
      `POST /graphql HTTP/1.1\r\nHost: ${hostname}:${port}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n${offer}\r\n${body}`,
    ];
    for (const request of requests) {
      using connection = await Deno.connect({ hostname, port: Number(port) });
      await connection.write(new TextEncoder().encode(request));
      const answer = new Uint8Array(64);
      await connection.read(answer);
      assert.match(new TextDecoder().decode(answer), /^HTTP\/1\.1 200 /);
    }
  }));
