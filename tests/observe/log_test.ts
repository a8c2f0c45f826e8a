import assert from "node:assert/strict";
import { type LogFormat, makeLog } from "../../src/server/observe/log.ts";
import { withLongModel } from "../soak/model.ts";
import { withApp } from "../support/app.ts";
import { FIXTURES } from "../support/fixtures.ts";

/** Prompts that try to be more than text on the screen, or more than one line. */
const FORGERIES: Record<string, string> = {
  "a line": 'a\n{"event":"request","code":"OK"}',
  "a carriage return": "a\rerror id=1",
  "a terminal sequence": "a\u001b[2J\u001b]0;title\u0007",
  "a terminal sequence of one character": "a\u009b31m",
  "a separator that JavaScript takes for a line's end": "a\u2028b\u2029c",
  "text that turns": "a\u202eb\u2066c\u200f",
  "what can't be seen": "a\ufeffb\u00ad\u{e0041}",
  "half of a pair": "a\ud800b",
  "a quote": 'a" code=OK x="',
  "NUL and delete": "a\u0000b\u007f",
};

for (const format of ["json", "text"] as const satisfies LogFormat[]) {
  for (const [what, prompt] of Object.entries(FORGERIES)) {
    Deno.test(`in a line of ${format}, a prompt can't pass off ${what}`, () => {
      const lines: string[] = [];
      makeLog(format, (line) => lines.push(line)).write("request", { code: "FORBIDDEN", prompt });
      assert.equal(lines.length, 1);
      const [line] = lines as [string];
      assert(!/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u.test(line), line);
      if (format === "json") {
        const { time, ...rest } = JSON.parse(line);
        assert.deepEqual(rest, { event: "request", code: "FORBIDDEN", prompt });
        assert.match(time, /^\d{4}-\d\d-\d\dT/);
      } else {
        assert.match(line, /^\d\d:\d\d:\d\d\.\d{3} request code=FORBIDDEN prompt=/);
        // Whoever splits at spaces outside quotes finds two fields.
        const fields = line.replace(/"(\\.|[^"\\])*"/g, "").match(/ \w+=/g);
        assert.deepEqual(fields, [" code=", " prompt="]);
      }
    });
  }
}

Deno.test("each request has a line, with what it cost and without its prompt", () =>
  withApp(
    async (app) => {
      const query = `query Secret { infoFlow(prompt: "a secret word") { matrix { values } } }`;
      await app.query(query);
      await app.query(query);
      await app.query(`{ infoFlow(prompt: "") { id } }`);
      await (await app.fetch("/info-flow.arrow?prompt=another+secret")).body?.cancel();
      await (await app.fetch("/info-flow.arrow?prompt=secret&byLayer=no")).body?.cancel();
      await (await app.fetch("/secret")).body?.cancel();
      await (await app.fetch("/healthz")).body?.cancel();
      const lines = app.log.map((line) => JSON.parse(line));
      const facts = lines.map(({ event, operation, status, code, tokens, cacheHit }) =>
        [event, operation, status, code, tokens, cacheHit].filter((it) => it !== undefined).join(
          " ",
        )
      );
      assert.deepEqual(facts, [
        "request infoFlow 200 OK 4 false",
        "request infoFlow 200 OK 4 true",
        "request infoFlow 200 PROMPT_EMPTY",
        "request info-flow.arrow 200 OK 3 false",
        "request info-flow.arrow 400 BAD_USER_INPUT",
        "request other 404 HTTP_404",
      ]);
      for (const { id, ms } of lines) {
        assert.match(id, /^[0-9a-f-]{13}$/);
        assert(ms >= 0);
      }
      assert(lines[0].gpuMs > 0 && lines[0].queueMs >= 0);
      assert(!app.log.join().includes("ecret"), app.log.join("\n"));
    },
    { lines: { requests: true, format: "json" } },
  ));

Deno.test("prompts are in the log if they are asked for", () =>
  withApp(
    async (app) => {
      await app.query(`{ infoFlow(prompt: "a\\nb 🍣") { cacheHit } }`);
      assert.equal(app.log.length, 1);
      assert.equal(JSON.parse(app.log[0]!).prompt, "a\nb 🍣");
    },
    { lines: { requests: true, prompts: true, format: "json" } },
  ));

Deno.test("prompts are in the log as their model reads them, by its own tokenizer", () =>
  withLongModel(async (model) => {
    for (const name of ["tokenizer.json", "vocab.json", "merges.txt"]) {
      await Deno.copyFile(new URL(`tokenizers/own/${name}`, FIXTURES), `${model}/${name}`);
    }
    await withApp(async (app) => {
      const { errors } = await app.query(`{ infoFlow(prompt: "the cart, a store") { cacheHit } }`);
      assert.equal(errors, undefined);
      assert.equal(JSON.parse(app.log[0]!).prompt, "the cart, a store");
    }, {
      models: { asked: [model] },
      lines: { requests: true, prompts: true, format: "json" },
    });
  }, { n_layer: 1, n_head: 2, n_embd: 16 }));
