import assert from "node:assert/strict";
import { join } from "node:path";
import { TINY } from "../support/fixtures.ts";
import { python } from "../support/python.ts";
import { runTask, withServer } from "../support/serve.ts";
import { tinyConfig, withCheckpoint } from "../support/write_checkpoint.ts";

Deno.test("serve says what runs on what, and where; Python reads its Arrow over HTTP", () =>
  withServer(async ({ origin, startLines }) => {
    const text = startLines.join("\n");
    assert.match(text, /^Infoflow \d/);
    assert.match(text, /model +bundled: 6 layers, 8 heads, 128 channels, prompts to 256 tokens/);
    assert.match(text, /adapter +\S/);
    assert.match(text, new RegExp(`GraphiQL +${origin}/graphql$`, "m"));
    assert.match(origin, /^http:\/\/127\.0\.0\.1:\d+$/);
    const shape = await python(
      `
import json, sys, urllib.parse, urllib.request
import numpy as np, pyarrow as pa
url = json.load(sys.stdin) + "/info-flow.arrow?byLayer=true&prompt=" + urllib.parse.quote("naïve 🍣")
table = pa.ipc.open_stream(urllib.request.urlopen(url)).read_all()
flow = np.stack(table["flow"].to_numpy())
assert np.allclose(flow.sum(1), 1, atol=1e-5)
print(json.dumps(flow.shape))`,
      { input: origin },
    );
    assert.deepEqual(shape, [30, 5]);
  }));

Deno.test("serve takes its flags from the environment too", () =>
  withServer(async ({ origin }) => {
    const response = await fetch(`${origin}/graphql`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        query: `{ cache { budget } infoFlow(prompt: "a") { matrix { url } } }`,
      }),
    });
    const { data } = await response.json();
    assert.equal(data.cache.budget, 7 * 2 ** 20);
    assert.match(data.infoFlow.matrix.url, /^https:\/\/flow\.example\/info-flow\.arrow/);
  }, { env: { INFOFLOW_CACHE_MIB: "7", INFOFLOW_PUBLIC_URL: "https://flow.example/" } }));

Deno.test("serve --weights f16 says so, and gives other answers than without", () =>
  withServer(async ({ origin, startLines }) => {
    assert.match(
      startLines.join("\n"),
      /prompts to 256 tokens \([0-9a-f]{8}, weights of float16\)\n[^]*linear_\w+_f16/,
    );
    const response = await fetch(`${origin}/graphql?query={model{fingerprint,weights}}`);
    const { data } = await response.json();
    assert.match(data.model.fingerprint, /^[0-9a-f]{32}-f16$/);
    assert.equal(data.model.weights, "F16");
  }, { args: ["--weights", "f16"] }));

Deno.test("serve on all addresses takes a token, and says what that means", () =>
  withServer(async ({ origin, startLines }) => {
    assert.match(
      startLines.join("\n"),
      /Listening on 0\.0\.0\.0, .*anyone with the token may use it/,
    );
    const url = `${origin.replace("0.0.0.0", "127.0.0.1")}/graphql?query={__typename}`;
    const refused = await fetch(url);
    assert.equal(refused.status, 401);
    await refused.body?.cancel();
    const answer = await fetch(url, {
      headers: { authorization: "Bearer open-sesame-open-sesame" },
    });
    assert.deepEqual(await answer.json(), { data: { __typename: "Query" } });
  }, { args: ["--host", "0.0.0.0"], env: { INFOFLOW_TOKEN: "open-sesame-open-sesame" } }));

Deno.test("serve --help lists the flags and their variables", async () => {
  const { code, stdout } = await runTask("serve", ["--help"]);
  assert.equal(code, 0);
  for (const flag of ["--host HOST", "--port PORT", "--model NAME|DIR", "--cache-mib N"]) {
    assert(stdout.includes(flag), flag);
  }
  assert.match(stdout, /INFOFLOW_CACHE_MIB/);
});

Deno.test("serve on a port in use says so", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const { code, stderr } = await runTask("serve", ["--port", String(port)]);
  listener.close();
  assert.equal(code, 1);
  assert.equal(
    stderr.trim(),
    `error: Cannot listen on 127.0.0.1:${port} as another program does: choose another --port, or 0 for a free one`,
  );
});

const MISUSES: [args: string[], code: number, message: RegExp][] = [
  [["--model", "gpt5"], 1, /^error: Cannot find a model as it must be one of bundled/],
  [["--port", "http"], 2, /^error: --port must be a whole number from 0 to 65535: .* http/],
  [["--port", "65536"], 2, /^error: --port must be a whole number/],
  [["--cache-mib", "-1"], 2, /^error: .*--cache-mib/],
  [["--weights", "f8"], 2, /^error: --weights must be one of f32, f16: current value is f8/],
  [["--cash"], 2, /^error: There is no flag --cash: did you mean --/],
  [
    ["--host", "0.0.0.0"],
    2,
    /^error: --host 0\.0\.0\.0 lets other machines in: .*INFOFLOW_TOKEN.*--open/,
  ],
  [["--allow-origin", "notes.example"], 2, /^error: --allow-origin must be origins, such as/],
  [["now"], 2, /^error: serve takes flags only, not now/],
  [["--public-url", "flow"], 2, /^error: --public-url must be an http or https URL/],
];
for (const [args, expected, message] of MISUSES) {
  Deno.test(`serve ${args.join(" ")} ends with a line and ${expected}`, async () => {
    const { code, stderr } = await runTask("serve", ["--host", "127.0.0.1", ...args]);
    assert.match(stderr, message);
    assert(!/\n +at /.test(stderr), "no stack");
    assert.equal(code, expected);
  });
}

Deno.test("serve refuses a token that can't be sent, and one that can be guessed where others may ask", async () => {
  const cases: [token: string, message: RegExp, flag: string, value: string][] = [
    ["two words", /ASCII.*spaces/, "--host", "0.0.0.0"],
    ["käse", /ASCII/, "--host", "0.0.0.0"],
    ["fifteen-letters", /16.* has 15/, "--host", "0.0.0.0"],
    ["short", /16/, "--public-url", "https://flow.example/"],
    ["short", /16/, "--allow-host", "flow.example"],
    ["short", /16/, "--allow-origin", "https://notes.example"],
  ];
  for (const [token, message, ...flags] of cases) {
    const args = [...flags, "--port", "0"];
    const ended = await runTask("serve", args, { env: { INFOFLOW_TOKEN: token } });
    assert.match(ended.stderr, message);
    assert.match(ended.stderr, /^error: INFOFLOW_TOKEN must .*openssl rand -hex 24/m);
    assert.equal(ended.code, 2);
  }
});

Deno.test("serve refuses a directory without config.json, a cut file, and another vocabulary", async () => {
  const empty = await Deno.makeTempDir();
  const missing = await runTask("serve", ["--port", "0", "--model", empty]);
  assert.match(missing.stderr, /^error: Cannot load a model from .*: config.json is missing/m);
  await Deno.remove(empty);

  const config = { ...await tinyConfig(), vocab_size: 50257 };
  await withCheckpoint({ config }, async (directory) => {
    await Deno.truncate(join(directory, "model.safetensors"), 100_000);
    const { code, stderr } = await runTask("serve", ["--port", "0", "--model", directory]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^error: Cannot load .*model\.safetensors as it is damaged: .* \(MetadataIncompleteBuffer\)/,
    );
  });
});

Deno.test("serve says of a model without tokenizer files that it takes ids", () =>
  withServer(async ({ origin, startLines }) => {
    assert(startLines.some((line) => /tiny: it has no tokenizer files: ask with `ids`/.test(line)));
    const link = `${origin}/next-tokens.arrow`;
    assert.equal((await fetch(`${link}?ids=1,2,3`)).status, 200);
    const refused = await fetch(`${link}?prompt=Hello`);
    assert.equal(refused.status, 400);
    assert.match((await refused.json()).title, /no tokenizer files: ask with `ids`/);
  }, { args: ["--model", TINY] }));
