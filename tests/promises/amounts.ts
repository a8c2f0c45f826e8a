// Every resource has a number: what happens at it, and one beyond.
import assert from "node:assert/strict";
import { type Client, words } from "./client.ts";
import { LIMITS, LONG, type Promised, type Served, wait } from "./served.ts";

const MIB = 2 ** 20;

/** A link to all patterns of a prompt of 12 MB or a little less. */
function heavyLink({ context, heads }: Served): string {
  const length = Math.min(context - 6, Math.floor(Math.sqrt(12e6 / 4 / heads)));
  return `/attention.arrow?prompt=${words(length).replaceAll(" ", "+")}`;
}

async function refusal(client: Client, path: string): Promise<[status: number, code: string]> {
  const { status, text } = await client.get(path);
  return [status, JSON.parse(text).code];
}

export const AMOUNTS: Readonly<Record<string, Promised>> = {
  "what can't be done by the deadline is refused with the estimate before it starts": async (
    { client, context, deadline },
  ) => {
    const length = Math.floor(0.9 * context);
    const query =
      "query ($p: String!) { infoFlow(prompt: $p, method: VALUE_ZEROING) { cacheHit } }";
    const leaving = new AbortController();
    const refusalOf = async (seed: number) => {
      const { errors } = await client.query(
        query,
        { p: words(length, 7 + seed) },
        leaving.signal,
      );
      return errors?.[0].extensions;
    };
    const began = performance.now();
    // One of them alone, which tells the pace; then what takes several times the deadline, on a fast machine too.
    const refusal = await refusalOf(0) ??
      await Promise.any(Array.from({ length: 16 }, async (_, i) => {
        const refusal = await refusalOf(1 + i);
        assert(refusal);
        return refusal;
      }));
    leaving.abort();
    assert(["MATRIX_TOO_LARGE", "OVERLOADED"].includes(refusal.code), refusal.code);
    assert(refusal.estimate > 500, JSON.stringify(refusal));
    assert(performance.now() - began < 1000 * deadline);
  },
  "the bytes of an answer are counted before anything is computed": async (
    { client, context, heads },
  ) => {
    const length = Math.min(LONG, Math.floor(Math.sqrt(5.5e6 / 4 / heads)), context - 6);
    const bytes = 4 * heads * (length + 1) ** 2; // with BOS
    const fit = Math.floor(LIMITS["max-answer-mib"] * MIB / bytes);
    const query = (count: number): string =>
      `query ($p: String!) { ${
        Array.from({ length: count }, (_, i) => `a${i}: attention(prompt: $p) { matrix { arrow } }`)
      } }`;
    const variables = { p: words(length, 5) };
    const misses = await client.metric("infoflow_cache_misses");
    const { errors } = await client.query(query(fit + 1), variables);
    assert.deepEqual(errors[0].extensions, {
      code: "MATRIX_TOO_LARGE",
      bytes: (fit + 1) * bytes,
      limit: LIMITS["max-answer-mib"] * MIB,
    });
    assert.equal(await client.metric("infoflow_cache_misses"), misses);
    const { data } = await client.query(query(fit), variables);
    assert.equal(Object.keys(data).length, fit);
  },
  "answers that are not read take room, and beyond it there is OVERLOADED": async (served) => {
    const { client } = served;
    const link = heavyLink(served); // two of 12 MB fit into 30 MiB, three do not
    assert.equal((await client.get(link)).status, 200);
    const stalled: Deno.TcpConn[] = [];
    for (let i = 0; i < 2; i++) stalled.push(await client.send(`GET ${link} HTTP/1.1\n\n`));
    while (await client.metric("infoflow_answer_bytes") < 2 * 11e6) await wait(20);
    assert.deepEqual(await refusal(client, link), [503, "OVERLOADED"]);
    for (const connection of stalled) connection.close();
    await client.assertQuiet();
    assert.equal((await client.get(link)).status, 200);
  },
  "connections have a number, and the next is closed": async ({ client }) => {
    const most = LIMITS["max-connections"];
    const open: Deno.TcpConn[] = [];
    for (let i = 0; i < most + 12; i++) open.push(await client.connect());
    await wait(200);
    const ended = await Promise.all(open.map(async (connection) => {
      const end = connection.read(new Uint8Array(1)).then(() => true, () => true);
      return await Promise.race([end, wait(300).then(() => false)]);
    }));
    const kept = ended.filter((isEnded) => !isEnded).length;
    assert(kept > 30 && kept <= most, `${kept} of ${open.length} are open`);
    for (const connection of open) connection.close();
    await wait(100);
    assert.equal((await client.get("/healthz")).status, 200);
  },
  "who asks on and on over a connection, and reads nothing, is cut off": async ({ client }) => {
    const before = await client.metric("infoflow_resident_bytes");
    const connection = await client.connect();
    const many = client.request("GET / HTTP/1.1\n\n");
    const requests = Uint8Array.from(
      { length: 500 * many.length },
      (_, at) => many[at % many.length]!,
    );
    const sending = (async () => {
      for (let times = 0; times < 200; times++) {
        for (let at = 0; at < requests.length;) at += await connection.write(requests.subarray(at));
      }
    })().catch(() => {}); // it was closed meanwhile
    await Promise.race([sending, wait(1000)]);
    const answered = (await new Response(connection.readable).text().catch(() => ""))
      .match(/^HTTP/gm)?.length ?? 0;
    assert(answered < 50_000, `${answered} of 100,000 are answered`);
    const grown = await client.metric("infoflow_resident_bytes") - before;
    assert(grown < 200 * MIB, `${grown / MIB} MiB more`); // it was 2 GB
  },
  "requests that wait have a number, and the next is told when to come again": async (
    { client },
  ) => {
    const most = LIMITS["max-waiting"];
    const asked = Array.from({ length: most + 12 }, async (_, i) => {
      const response = await fetch(
        `${client.origin}/info-flow.arrow?prompt=${words(LONG, 200 + i)}&method=ALTI`,
      );
      const text = await response.text();
      if (response.status === 200) return "OK";
      assert.match(response.headers.get("retry-after")!, /^\d+$/);
      return JSON.parse(text).code;
    });
    const answers = await Promise.all(asked);
    const refused = answers.filter((code) => code === "OVERLOADED").length;
    assert(refused > 0, `${answers}`);
    assert.deepEqual(
      [...new Set(answers)].filter((code) => !["OK", "OVERLOADED"].includes(code)),
      [],
    );
  },
  "a request computes four prompts, and not five": async ({ client }) => {
    const query = (count: number): string =>
      `{ ${
        Array.from({ length: count }, (_, i) => `a${i}: infoFlow(prompt: "four ${i}") { cacheHit }`)
      } }`;
    assert.deepEqual((await client.query(query(5))).errors[0].extensions, {
      code: "BAD_USER_INPUT",
      passes: 5,
      limit: 4,
    });
    assert.equal((await client.query(query(4))).errors, undefined);
  },
  "the texts of a request have 131,072 characters at most": async ({ client, context }) => {
    const length = Math.min(65_536, 64 * context);
    const texts = Array.from(
      { length: 131_072 / length },
      (_, i) => String.fromCharCode(97 + i).repeat(length),
    );
    const names = texts.map((_, i) => `p${i}`);
    const query = `query (${names.map((name) => `$${name}: String!`)}) { ${
      names.map((name) => `${name}: tokens(prompt: $${name}) { id }`).join(" ")
    } }`;
    const ask = async (last: string): Promise<{ readonly extensions?: unknown }> => {
      const values = [...texts.slice(0, -1), last];
      const variables = Object.fromEntries(names.map((name, i) => [name, values[i]]));
      return (await client.query(query, variables)).errors?.[0] ?? {};
    };
    const fine = (await ask(texts.at(-1)!)).extensions as { code: string } | undefined;
    assert(fine === undefined || fine.code === "PROMPT_TOO_LONG", JSON.stringify(fine));
    assert.deepEqual((await ask(`${texts.at(-1)}b`)).extensions, {
      code: "BAD_USER_INPUT",
      characters: 131_073,
      limit: 131_072,
    });
  },
  "a URL, headers, a body and a table have their bytes": async ({ client }) => {
    const json = { "content-type": "application/json" };
    const arrow = { "content-type": "application/vnd.apache.arrow.stream" };
    const post = (path: string, headers: Record<string, string>, bytes: number) =>
      client.get(path, { method: "POST", headers, body: new Uint8Array(bytes).fill(32) });
    const url = (bytes: number): string => {
      const start = "/graphql?query={__typename}&operationName=&x=";
      return start + "x".repeat(bytes - client.origin.length - start.length);
    };
    const statuses = [
      await client.get(url(16 * 1024)),
      await client.get(url(16 * 1024 + 1)),
      await client.get("/healthz", { headers: { x: "x".repeat(31 * 1024) } }),
      await client.get("/healthz", { headers: { x: "x".repeat(32 * 1024) } }),
      await post("/graphql", json, 256 * 1024),
      await post("/graphql", json, 256 * 1024 + 1),
      await post("/info-flow.arrow", arrow, 8 * MIB),
      await post("/info-flow.arrow", arrow, 8 * MIB + 1),
    ].map(({ status }) => status);
    assert.deepEqual(statuses, [200, 414, 200, 431, 400, 413, 400, 413]);
  },
};
