import assert from "node:assert/strict";
import { servePermissions, VARIABLES } from "../../src/cli/permissions.ts";
import { withServer } from "../support/serve.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const FORBIDDEN = new URL("forbidden.ts", import.meta.url).pathname;

Deno.test("the server has exactly the permissions of its settings", () =>
  withServer(async ({ origin }) => {
    const { stdout } = await new Deno.Command("ps", { args: ["-eo", "args"] }).output();
    const lines = new TextDecoder().decode(stdout).split("\n");
    // Its own, not that of a test beside it: the process that listens has been told `--port 0` and the host.
    const [line] = lines.filter((text) =>
      text.includes("src/cli/serve.ts") && text.includes("--cache-mib 77")
    ) as [string];
    const flags = line.match(/ --(allow|no|deny|unstable|cached|frozen)\S*/g)!.map((flag) =>
      flag.trim()
    );
    const own = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME")}/.cache`;
    assert.deepEqual(flags.filter((flag) => !flag.startsWith("--allow-read")), [
      "--no-prompt",
      "--cached-only",
      "--deny-import",
      "--frozen",
      "--allow-net=127.0.0.1:0",
      `--allow-write=${own}/infoflow`,
      `--allow-env=${VARIABLES.join()}`,
      "--allow-sys=systemMemoryInfo",
    ]);
    const read = flags.find((flag) => flag.startsWith("--allow-read"))!.split("=")[1]!.split(",");
    const inProject = ["src", "shaders", "packages", "weights"].map((name) => ROOT + name);
    assert.deepEqual(read.slice(0, 4), inProject);
    assert(read.slice(4).every((path) => /huggingface|infoflow$/.test(path)), read.join());
    assert.equal((await fetch(`${origin}/info-flow.arrow?prompt=a`)).status, 200);
  }, { args: ["--cache-mib", "77"] }));

Deno.test("with them, what it does not need is refused", async () => {
  const permissions = servePermissions({ host: "127.0.0.1", port: 8000 }, {
    weights: ["/models/a"],
    own: "/home/somebody/.cache/infoflow/tuning.json",
  });
  assert(permissions.includes("--allow-write=/home/somebody/.cache/infoflow"));
  assert(permissions.some((flag) => /^--allow-read=.*,\/models\/a,/.test(flag)));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...permissions, FORBIDDEN],
  }).output();
  const said = new TextDecoder().decode(stdout).trim().split("\n");
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  for (const line of said) assert.match(line, /: NotCapable$/);
  assert.equal(said.length, 11);
});

Deno.test("with them, no module comes from the network, whoever hosts it", async () => {
  const permissions = servePermissions({ host: "127.0.0.1", port: 8000 }, {
    weights: [],
    own: undefined,
  });
  const probe = `
    for (const from of ["npm:left-pad@1.3.0", "jsr:@std/path@1.0.0", "https://example.com/mod.ts"]) {
      await import(from).then(() => console.log("imported", from), () => console.log("refused"));
    }`;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, probe);
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", ...permissions, file],
    stderr: "null",
  }).output();
  await Deno.remove(file);
  assert.equal(new TextDecoder().decode(stdout), "refused\n".repeat(3));
});

Deno.test("a path that Deno's flags can't name is refused, not split", () => {
  const places = { weights: ["/models/a,b"], own: undefined };
  assert.throws(() => servePermissions({ host: "127.0.0.1", port: 8000 }, places), {
    name: "UsageError",
    message: /path with a comma: current value is \/models\/a,b$/,
  });
});

Deno.test("an IPv6 address is written as Deno reads it", () => {
  const flags = servePermissions({ host: "::1", port: 8000 }, { weights: [], own: undefined });
  assert(flags.includes("--allow-net=[::1]:8000"), flags.join(" "));
});
