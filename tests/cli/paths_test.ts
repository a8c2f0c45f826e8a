// Where files lie: relative to the caller, behind links, in the hub's cache; and what a local model is called.
import assert from "node:assert/strict";
import { basename, join } from "node:path";
import { tableFromIPC } from "apache-arrow";
import { readablePaths } from "../../src/cli/readable_paths.ts";
import { TINY } from "../support/fixtures.ts";
import { withServer } from "../support/serve.ts";

const RUN = new URL("../../run", import.meta.url).pathname;
const FILES = ["config.json", "model.safetensors"];
const COMMIT = "a".repeat(40);

/** A directory for as long as `use` runs. */
async function withDirectory(use: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "infoflow paths é " });
  try {
    await use(await Deno.realPath(directory));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Copies the tiny model. */
async function copyModel(directory: string): Promise<void> {
  await Deno.mkdir(directory, { recursive: true });
  for (const file of FILES) await Deno.copyFile(join(TINY, file), join(directory, file));
}

/** The tiny model as Python's huggingface_hub keeps it: the snapshot's directory. */
async function cacheModel(hub: string): Promise<string> {
  const repository = join(hub, "models--ann--toy");
  const snapshot = join(repository, "snapshots", COMMIT);
  await Deno.mkdir(join(repository, "blobs"), { recursive: true });
  await Deno.mkdir(snapshot, { recursive: true });
  for (const [index, file] of FILES.entries()) {
    await Deno.copyFile(join(TINY, file), join(repository, "blobs", `blob${index}`));
    await Deno.symlink(join("..", "..", "blobs", `blob${index}`), join(snapshot, file));
  }
  return snapshot;
}

Deno.test("./run takes --model and --out relative to where it is called", () =>
  withDirectory(async (cwd) => {
    await copyModel(join(cwd, "toy"));
    const args = ["flow", "--ids", "1,2,3", "--model", "./toy", "--out", "mine.arrow"];
    const { code, stderr } = await new Deno.Command(RUN, { args, cwd }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    const { schema } = tableFromIPC(await Deno.readFile(join(cwd, "mine.arrow")));
    const metadata = schema.metadata.get("infoflow")!;
    assert.equal(JSON.parse(metadata).model, "toy");
    assert(!metadata.includes(cwd), "an absolute path goes out");
  }));

Deno.test("serve reads what links lead to, and calls models by their last part or by NAME=DIR", () =>
  withDirectory(async (directory) => {
    const snapshot = await cacheModel(join(directory, "hub"));
    const linked = join(directory, "linked");
    await Deno.mkdir(linked);
    for (const file of FILES) await Deno.symlink(join(TINY, file), join(linked, file));
    const args = ["--model", snapshot, "--model", linked, "--model", `mine=${linked}`];
    await withServer(async ({ origin }) => {
      const query = "{ models { name } infoFlow(ids: [1, 2]) { matrix { url } } }";
      const response = await fetch(`${origin}/graphql?query=${encodeURIComponent(query)}`);
      const { data } = await response.json();
      const names = data.models.map(({ name }: { name: string }) => name);
      assert.deepEqual(names, ["ann/toy", "linked", "mine"]);
      assert.equal((await fetch(data.infoFlow.matrix.url)).status, 200);
      const metrics = await (await fetch(`${origin}/metrics`)).text();
      assert(!metrics.includes(directory), "an absolute path goes out");
    }, { args });
  }));

Deno.test("readablePaths() has what a model's links lead to, and no other link's target", () =>
  withDirectory(async (directory) => {
    const secret = join(directory, "secret.txt");
    await Deno.writeTextFile(secret, "");
    const model = join(directory, "model");
    await Deno.mkdir(model);
    await Deno.symlink(join(TINY, "model.safetensors"), join(model, "model.safetensors"));
    await Deno.symlink(secret, join(model, "notes.txt"));
    const paths = await readablePaths(model);
    assert.deepEqual(paths.map((path) => basename(path)), ["model", "model.safetensors"]);
    assert.deepEqual(await readablePaths(join(directory, "nowhere")), []);
  }));
