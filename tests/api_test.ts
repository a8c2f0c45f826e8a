import assert from "node:assert/strict";
import { apiReference, schemaWithMethods } from "../docs/make_api.ts";

Deno.test("docs/api.md is what `deno task api` writes", async () => {
  const format = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", "md", "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const input = format.stdin.getWriter();
  await input.write(new TextEncoder().encode(await apiReference()));
  await input.close();
  const { stdout } = await format.output();
  const expected = new TextDecoder().decode(stdout);
  assert.equal(await Deno.readTextFile("docs/api.md"), expected, "run `deno task api`");
});

Deno.test("schema.graphql has the flow methods that there are", async () => {
  assert.equal(
    await Deno.readTextFile("schema.graphql"),
    schemaWithMethods(),
    "run `deno task api`",
  );
});
