// Files that somebody made to hold up, or to fill up, whoever reads them: refused by name, within two seconds.
import assert from "node:assert/strict";
import { join } from "node:path";
import { openCheckpoint } from "../../src/checkpoints/checkpoint.ts";
import { readTokenizer } from "../../src/checkpoints/read_tokenizer.ts";
import { withCheckpoint } from "../support/write_checkpoint.ts";

const MOST_MS = 2000;

async function pipe(path: string): Promise<void> {
  await new Deno.Command("mkfifo", { args: [path] }).output();
}

/** A file of any size that takes no room on the disk. */
async function hole(path: string): Promise<void> {
  await Deno.writeTextFile(path, "");
  await Deno.truncate(path, 4 * 2 ** 30);
}

const HOSTILE: Readonly<Record<string, (path: string) => Promise<void>>> = {
  "a pipe": pipe,
  "a device that never ends": (path) => Deno.symlink("/dev/zero", path),
  "a directory": (path) => Deno.mkdir(path),
  "a file of 4 GiB": hole,
  "31 MB of brackets": (path) => Deno.writeTextFile(path, "[".repeat(31e6)),
  "31 MB of empty arrays": (path) => Deno.writeTextFile(path, `[${"[],".repeat(10e6)}[]]`),
  "31 MB of short strings": (path) => Deno.writeTextFile(path, `{${'"a":1,'.repeat(5e6)}"a":1}`),
};

for (const [what, make] of Object.entries(HOSTILE)) {
  for (const name of ["config.json", "tokenizer.json"]) {
    Deno.test(`${what} for ${name} is refused by name, at once`, () =>
      withCheckpoint({}, async (directory) => {
        const path = join(directory, name);
        await Deno.remove(path).catch(() => {});
        await make(path);
        const began = performance.now();
        await assert.rejects(() => readTokenizer(directory, false), (error: Error) => {
          assert(error.message.includes(path), error.message);
          return true;
        });
        const took = performance.now() - began;
        assert(took < MOST_MS, `${took} ms`);
      }));
  }
}

Deno.test("a pipe for the weights, or for their index, is refused by name, at once", async () => {
  for (const name of ["model.safetensors", "model.safetensors.index.json"]) {
    await withCheckpoint({}, async (directory) => {
      await Deno.remove(join(directory, "model.safetensors"));
      await pipe(join(directory, name));
      await assert.rejects(() => openCheckpoint(directory), (error: Error) => {
        assert(error.message.includes(join(directory, name)), error.message);
        return true;
      });
    });
  }
});
