import assert from "node:assert/strict";
import { basename, join } from "node:path";
import type { GraphQLAnswer } from "../support/app.ts";
import { BUNDLED } from "../support/fixtures.ts";
import { runTask, withServer } from "../support/serve.ts";

Deno.test("serve runs several models: one is picked by name, links say which, the first is the default", async () => {
  const directory = await Deno.makeTempDir({ prefix: "infoflow-" });
  const other = basename(directory);
  try {
    // The same weights with another epsilon: the same tokens, other numbers.
    const config = JSON.parse(await Deno.readTextFile(join(BUNDLED, "config.json")));
    const changed = JSON.stringify({ ...config, layer_norm_epsilon: 0.5 });
    await Deno.writeTextFile(join(directory, "config.json"), changed);
    await Deno.symlink(join(BUNDLED, "model.safetensors"), join(directory, "model.safetensors"));
    await withServer(async ({ origin, startLines }) => {
      assert.match(startLines.join("\n"), /model +bundled: 6 layers/);
      assert(startLines.some((line) => line.trim().startsWith(`${other}: 6 layers`)));
      const ask = async (query: string): Promise<GraphQLAnswer> => {
        const response = await fetch(`${origin}/graphql`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ query }),
        });
        return await response.json();
      };
      const flow = `cacheHit id matrix { values url }`;
      const asked = `prompt: "Hello world"`;
      const { data } = await ask(`{
        models { name fingerprint } model { name }
        first: infoFlow(${asked}) { ${flow} }
        named: infoFlow(${asked}, model: "bundled") { ${flow} }
        other: infoFlow(${asked}, model: ${JSON.stringify(other)}) { ${flow} }
        tokens(prompt: "Hello", model: ${JSON.stringify(other)}) { text }
      }`);
      const names = data.models.map(({ name }: { name: string }) => name);
      assert.deepEqual([names, data.model.name], [["bundled", other], "bundled"]);
      assert.notEqual(data.models[0].fingerprint, data.models[1].fingerprint);
      assert.deepEqual(data.first.matrix, data.named.matrix);
      assert.notDeepEqual(data.first.matrix.values, data.other.matrix.values);
      assert.notEqual(data.first.id, data.other.id);
      assert.equal(new URL(data.first.matrix.url).searchParams.get("model"), null);
      assert.equal(new URL(data.other.matrix.url).searchParams.get("model"), other);
      for (const { id, matrix } of [data.first, data.other]) {
        const response = await fetch(matrix.url);
        assert(response.headers.get("etag")!.startsWith(`"${id}`));
        await response.body?.cancel();
      }
      const { errors } = await ask(`{ infoFlow(${asked}, model: "gpt5") { id } }`);
      assert.equal(errors![0]!.extensions.code, "BAD_USER_INPUT");
      assert.match(
        errors![0]!.message,
        /its name must be one of bundled, .*: current value is gpt5/,
      );
      const response = await fetch(`${origin}/info-flow.arrow?prompt=a&model=gpt5`);
      assert.equal(response.status, 400);
      await response.body?.cancel();
    }, { args: ["--model", "bundled", "--model", directory] });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("serve refuses the same model twice", async () => {
  const { code, stderr } = await runTask("serve", ["--model", "bundled", "--model", "bundled"]);
  assert.match(
    stderr,
    /^error: --model must name different models: current value has bundled twice/,
  );
  assert.equal(code, 2);
});
