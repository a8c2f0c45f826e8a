import assert from "node:assert/strict";

for (const args of [["fmt", "--check"], ["lint"], ["check"]]) {
  Deno.test(`deno ${args.join(" ")}`, async () => {
    const { success, stderr, stdout } = await new Deno.Command(Deno.execPath(), {
      args,
      cwd: new URL("../", import.meta.url),
      env: { NO_COLOR: "1" },
    }).output();
    const decoder = new TextDecoder();
    assert(success, decoder.decode(stderr) + decoder.decode(stdout));
  });
}

Deno.test("deno publish would take the safetensors package", async () => {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["publish", "--dry-run", "--allow-dirty"],
    cwd: new URL("../packages/safetensors/", import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
});
