import assert from "node:assert/strict";

const ROOT = new URL("../../", import.meta.url);
const graph = await modulesOf(["src/cli/serve.ts", "src/thread/worker.ts"]);

Deno.test("the engine's thread starts before any other module of the server is loaded", () => {
  assert.deepEqual(loadedWith("src/cli/serve.ts"), [
    "src/cli/serve.ts",
    "src/thread/new_worker.ts",
  ]);
});

Deno.test("the engine's thread is told what to load before the server's libraries are loaded", () => {
  const loaded = loadedWith("src/cli/start_server.ts");
  assert.deepEqual(loaded.filter((it) => /yoga|armor|apache-arrow|prom-client/.test(it)), []);
});

Deno.test("the engine's thread loads none of the server's modules, nor of its libraries", () => {
  const loaded = loadedWith("src/thread/worker.ts");
  assert(loaded.length > 50);
  assert.deepEqual(loaded.filter((it) => /src\/(server|cli|tokens)\/|^npm:/.test(it)), []);
});

interface Module {
  readonly specifier: string;
  readonly dependencies?: readonly {
    readonly isDynamic?: boolean;
    readonly code?: { readonly specifier: string };
  }[];
}

/** The modules that these need, by their specifiers. */
async function modulesOf(paths: readonly string[]): Promise<ReadonlyMap<string, Module>> {
  const found = new Map<string, Module>();
  for (const path of paths) {
    const { stdout } = await new Deno.Command("deno", {
      args: ["info", "--json", path],
      cwd: ROOT,
    }).output();
    const { modules } = JSON.parse(new TextDecoder().decode(stdout)) as { modules: Module[] };
    for (const module of modules) found.set(module.specifier, module);
  }
  return found;
}

/** What is loaded together with a module: what it imports statically, and so on; files as paths in the project. */
function loadedWith(path: string): string[] {
  const seen = new Set<string>();
  const visit = (specifier: string): void => {
    if (seen.has(specifier)) return;
    seen.add(specifier);
    for (const { isDynamic, code } of graph.get(specifier)?.dependencies ?? []) {
      if (!isDynamic && code) visit(code.specifier);
    }
  };
  visit(new URL(path, ROOT).href);
  return [...seen].map((it) => it.replace(ROOT.href, "")).sort();
}
