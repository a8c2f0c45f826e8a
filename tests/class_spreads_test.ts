import assert from "node:assert/strict";
import { classSpreads } from "./support/class_spreads.ts";

const ROOT = new URL("../", import.meta.url);

async function* sources(directory: URL): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    if (isDirectory) yield* sources(new URL(`${name}/`, directory));
    else if (/(?<!_test)\.ts$/.test(name)) yield new URL(name, directory).pathname;
  }
}

Deno.test("no class instance is spread, which would lose its getters and methods", async () => {
  const files: string[] = [];
  for (const folder of ["src/", "web/", "packages/"]) {
    for await (const path of sources(new URL(folder, ROOT))) files.push(path);
  }
  assert(files.length > 200, `${files.length} files found`);
  assert.deepEqual(classSpreads(files), []);
});

Deno.test("a spread of a class, and of an interface that a class implements, is found", async () => {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(
      file,
      [
        "interface Caller { readonly signal?: AbortSignal }",
        "class Scope implements Caller { get signal(): AbortSignal { return AbortSignal.abort(); } }",
        "interface Plain { readonly model: number }",
        "export const lost = (caller: Caller) => ({ ...caller, model: 1 });",
        "export const alsoLost = (scope: Scope | undefined) => ({ ...scope });",
        "export const fine = (plain: Plain) => ({ ...plain, ...[1].map(String) });",
      ].join("\n"),
    );
    assert.deepEqual(classSpreads([file]), [`${file}:4: ...caller`, `${file}:5: ...scope`]);
  } finally {
    await Deno.remove(file);
  }
});
