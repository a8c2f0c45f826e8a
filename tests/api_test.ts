import assert from "node:assert/strict";
import { apiReference, schemaWithMethods } from "../docs/make_api.ts";
import { lists } from "../docs/make_lists.ts";

Deno.test("docs/api.md is what `deno task api` writes", async () => {
  const expected = await formatted(await apiReference(), "md");
  assert.equal(await Deno.readTextFile("docs/api.md"), expected, "run `deno task api`");
});

Deno.test("the lists have the analyses and answers that there are", async () => {
  for (const [path, text] of Object.entries(await lists())) {
    const expected = await formatted(text, "ts");
    assert.equal(await Deno.readTextFile(path), expected, `${path}: run \`deno task api\``);
  }
});

Deno.test("schema.graphql has the flow methods that there are", async () => {
  assert.equal(
    await Deno.readTextFile("schema.graphql"),
    schemaWithMethods(),
    "run `deno task api`",
  );
});

async function formatted(text: string, extension: string): Promise<string> {
  const format = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext", extension, "-"],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const input = format.stdin.getWriter();
  await input.write(new TextEncoder().encode(text));
  await input.close();
  return new TextDecoder().decode((await format.output()).stdout);
}
