import assert from "node:assert/strict";
import { dirname, join, normalize } from "node:path/posix";

/**
 * The folders of `src/`, from the top down. A file imports from its own folder and from folders below it, so a reader
 * who goes down never has to turn back.
 */
const FOLDERS = [
  "cli",
  "corpus/jobs",
  "corpus/run",
  "corpus/input",
  "corpus/output",
  "server/serving",
  "server/http",
  "server/graphql",
  "server/corpus",
  "server/batch",
  "server/links",
  "server/answers",
  "server/helper",
  "server/dashboards",
  "server/arrow",
  "server/observe",
  "server/queue",
  "server",
  "thread",
  "engine",
  "engine/analyses",
  "engine/flow",
  "engine/sae",
  "engine/passes",
  "engine/model",
  "engine/activations",
  "engine/kernels",
  "engine/gpu",
  "checkpoints/hub",
  "checkpoints/sae",
  "checkpoints",
  "requests",
  "tokens",
  "",
];

/** Folders that name no runtime: they would run in a browser as they are. */
const ANYWHERE = ["engine", "requests", "tokens"];

const SOURCES = await sources("src");
/** Everything that imports anything. */
const ALL = new Map(
  (await Promise.all(["src", "web", "bench", "packages"].map(sources))).flatMap((
    some,
  ) => [...some]),
);

Deno.test("files import from their own folder and from folders below it", () => {
  const wrong: string[] = [];
  for (const [file, text] of SOURCES) {
    for (const imported of importsOf(file, text).filter((path) => path.startsWith("src/"))) {
      const [from, to] = [folderOf(file), folderOf(imported)].map((it) => FOLDERS.indexOf(it));
      if (from! > to!) wrong.push(`${file} imports ${imported}`);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("the main thread imports nothing of the engine but types", () => {
  const wrong: string[] = [];
  for (const [file, text] of SOURCES) {
    if (!/^src\/(cli|corpus|server)\//.test(file)) continue;
    for (const [, clause, path] of text.matchAll(/^(?:import|export) ([^;]*?) from "([^"]+)"/gm)) {
      if (path!.includes("/engine/") && !clause!.startsWith("type ")) wrong.push(`${file} ${path}`);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("no file imports itself by a detour", () => {
  const done = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    assert(!path.includes(file), `a circle: ${[...path, file].join(" → ")}`);
    if (done.has(file)) return;
    for (const next of importsOf(file, ALL.get(file) ?? "")) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of ALL.keys()) visit(file, []);
});

Deno.test("the page imports what may be asked, and nothing else that needs a server", () => {
  const wrong: string[] = [];
  for (const [file, text] of ALL) {
    if (!file.startsWith("web/")) continue;
    for (const imported of importsOf(file, text)) {
      const isPlain = /^src\/(requests\/|[^/]+$)/.test(imported);
      if (!imported.startsWith("web/") && !isPlain) wrong.push(`${file} imports ${imported}`);
    }
  }
  assert.deepEqual(wrong, []);
});

Deno.test("the server imports nothing of the tests, the benchmark or the page's modules", () => {
  const wrong = [...SOURCES].flatMap(([file, text]) =>
    importsOf(file, text).filter((it) => /^(web|tests|bench)\//.test(it)).map((it) =>
      `${file} ${it}`
    )
  );
  assert.deepEqual(wrong, []);
});

Deno.test("the engine, requests and tokens name no runtime", () => {
  const wrong = [...SOURCES].filter(([file, text]) =>
    ANYWHERE.includes(file.split("/")[1]!) &&
    /\bDeno\.|["']node:/.test(withoutComments(text))
  );
  assert.deepEqual(wrong.map(([file]) => file), []);
});

async function sources(directory: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    if (isDirectory) { for (const [file, text] of await sources(path)) found.set(file, text); }
    else if (name.endsWith(".ts")) found.set(path, await Deno.readTextFile(path));
  }
  return found;
}

/** The folder of the list that a file is in: the longest that fits. */
function folderOf(file: string): string {
  const path = dirname(file).slice("src/".length);
  const fits = FOLDERS.filter((it) => it === "" || path === it || path.startsWith(`${it}/`));
  const folder = fits.sort((a, b) => b.length - a.length)[0]!;
  assert(folder !== "" || path === "", `${file} is in no folder of the list`);
  return folder;
}

/** The files that a file imports by their paths, types too. */
function importsOf(file: string, text: string): string[] {
  return [...text.matchAll(/(?:from|import\()\s*"(\.[^"]+\.ts)"/g)]
    .map(([, path]) => normalize(join(dirname(file), path!)));
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[^]*?\*\//g, "").replace(/\/\/.*/g, "");
}
