// What a client gets wrong is its own fault, and pages elsewhere may ask nothing.
import assert from "node:assert/strict";
import { serverAudits } from "graphql-http";
import type { Promised } from "./served.ts";

const END = "Connection: close\n\n";

export const FAULTS: Readonly<Record<string, Promised>> = {
  "what a client gets wrong is told as its own fault, and 405 says what there is": async (
    { client },
  ) => {
    const host = new URL(client.origin).host;
    const wrong = [
      `GET / HTTP/1.1\nHost: ::1\n${END}`,
      `GET / HTTP/1.1\nHost: a b\n${END}`,
      `GET / HTTP/1.1\nHost: localhost:99999\n${END}`,
      `GET / HTTP/1.1\nHost: ${"a".repeat(30_000)}:x\n${END}`,
      `GET / HTTP/1.1\nHost: ${host}\nHost: ${host}\n${END}`,
      `GET foo://127.0.0.1/graphql HTTP/1.1\nHost: ${host}\n${END}`,
      `GET /graphql?query={__typename}&variables={ HTTP/1.1\nHost: ${host}\n${END}`,
      `GET /graphql?query={__typename}&extensions=[ HTTP/1.1\nHost: ${host}\n${END}`,
      `no HTTP at all\n${END}`,
    ];
    for (const request of wrong) {
      const answer = await client.exchange(request);
      assert.match(answer, /^HTTP\/1.1 400 [\s\S]*BAD_USER_INPUT/, `${request} ${answer}`);
      assert(answer.length < 2000, `${answer.length} bytes of answer`);
    }
    const accept = `GET /graphql?query={__typename} HTTP/1.1\nHost: ${host}\nAccept: a/b${
      ",".repeat(31_000)
    }\n${END}`;
    const answer = await client.exchange(accept);
    assert.match(answer, /^HTTP\/1.1 406 [\s\S]*BAD_USER_INPUT/);
    assert(answer.length < 2000, `${answer.length} bytes of answer`);
    const response = await fetch(`${client.origin}/routes.arrow`, { method: "DELETE" });
    await response.body?.cancel();
    assert.deepEqual([response.status, response.headers.get("allow")], [405, "GET, HEAD"]);
  },
  "a page elsewhere can neither ask nor read, and a Host that is not ours is refused": async (
    { client },
  ) => {
    const misses = await client.metric("infoflow_cache_misses");
    const link = "/info-flow.arrow?prompt=from+elsewhere";
    const strangers = [
      "Sec-Fetch-Site: cross-site",
      "Origin: https://elsewhere.example",
      "Referer: https://elsewhere.example/page",
    ].map((line) => `Host: ${new URL(client.origin).host}\n${line}`);
    for (const lines of [...strangers, "Host: rebound.example"]) {
      const answer = await client.exchange(`GET ${link} HTTP/1.1\n${lines}\n${END}`);
      assert.match(answer, /^HTTP\/1.1 403 [\s\S]*FORBIDDEN/, lines);
      assert(!/access-control-allow-origin/i.test(answer), answer);
    }
    assert.equal(await client.metric("infoflow_cache_misses"), misses);
  },
  "depth, aliases, directives, tokens and cost of a query have their numbers": async (
    { client },
  ) => {
    const repeat = (count: number, make: (index: number) => string): string =>
      Array.from({ length: count }, (_, index) => make(index)).join(" ");
    const deep = (depth: number): string =>
      `{ __type(name: "Model") { ${"ofType { ".repeat(depth - 2)} name ${"} ".repeat(depth)}`;
    const queries: [limit: number, query: (size: number) => string][] = [
      [6, deep],
      [15, (n) => `{ ${repeat(n, (i) => `a${i}: model { name }`)} }`],
      [50, (n) => `{ ${repeat(n, () => "__typename @include(if: true)")} }`],
      [1000, (n) => `{ model { ${repeat(n - 5, (i) => ["name", "layers"][i % 2]!)} } }`],
    ];
    for (const [limit, query] of queries) {
      assert.equal((await client.query(query(limit))).errors, undefined, `${limit}`);
      const { errors } = await client.query(query(limit + 1));
      assert.equal(errors?.[0].extensions.code, "BAD_USER_INPUT", `${limit + 1}`);
    }
    // Fragments that multiply, and one that is in itself.
    const fragments = Array.from(
      { length: 6 },
      (_, n) => `fragment f${n} on Query { ...f${n + 1} ...f${n + 1} ...f${n + 1} }`,
    );
    for (
      const spread of [
        `${fragments.join(" ")} fragment f6 on Query { __typename }`,
        "fragment f0 on Query { ...f0 }",
      ]
    ) {
      const began = performance.now();
      await client.query(`{ ...f0 } ${spread}`);
      assert(performance.now() - began < 1000, "fragments that multiply");
    }
  },
  "uploads and batches of queries are off": async ({ client }) => {
    const form = new FormData();
    form.set("operations", JSON.stringify({ query: "{__typename}" }));
    assert.equal((await client.get("/graphql", { method: "POST", body: form })).status, 415);
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify([{ query: "{__typename}" }]);
    assert.equal((await client.get("/graphql", { method: "POST", headers, body })).status, 400);
  },
  "all audits of graphql-http pass": async ({ client }) => {
    const audits = serverAudits({ url: `${client.origin}/graphql` });
    assert(audits.length >= 61);
    for (const { name, fn } of audits) {
      const result = await fn();
      assert.equal(result.status, "ok", `${name}: ${JSON.stringify(result)}`);
    }
  },
  "a page runs its own scripts only, and data are shown in no frame": async ({ client }) => {
    for (const [path, frames] of [["/", "'self'"], ["/info-flow.arrow?prompt=a", "'none'"]]) {
      const { headers, body } = await fetch(client.origin + path!);
      await body?.cancel();
      const policy = headers.get("content-security-policy")!;
      assert(policy.startsWith(`default-src 'none'; frame-ancestors ${frames}`), policy);
      assert(!/unsafe|\*|https?:/.test(policy), policy);
    }
  },
  "prompts are in no line of the log, and no line can be forged": async ({ client, log }) => {
    const prompt = 'my secret\n{"event":"error","forged":true}\u001b[2J';
    assert.equal((await client.flow(prompt)).status, 200);
    assert.equal((await client.get(`/${encodeURIComponent(prompt)}`)).status, 404);
    const variables = encodeURIComponent(prompt);
    await client.get(`/graphql?query={__typename}&variables=${variables}`);
    const leaked = ["my secret", "forged", "\u001b"].filter((text) => log().includes(text));
    assert.deepEqual(leaked, []);
    for (const line of log().trim().split("\n")) JSON.parse(line);
  },
};
