import assert from "node:assert/strict";
import { join } from "node:path";
import { createEngine } from "../../src/thread/create_engine.ts";
import { TINY } from "../support/fixtures.ts";

const HOUR_AGO = new Date(Date.now() - 3_600_000);

/** A copy of tiny that was written an hour ago, and a file for fingerprints. */
async function withCopy(use: (directory: string, file: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir({ prefix: "infoflow-" });
  try {
    const directory = join(root, "model");
    await Deno.mkdir(directory);
    for (const name of ["config.json", "model.safetensors"]) {
      await Deno.copyFile(join(TINY, name), join(directory, name));
    }
    await use(directory, join(root, "own", "fingerprints.json"));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

/** Has the clock stand still at a time, in ms, for as long as `use` runs. */
async function withClockAt(time: number, use: () => Promise<void>): Promise<void> {
  const { now } = Date;
  Date.now = () => time;
  try {
    await use();
  } finally {
    Date.now = now;
  }
}

async function fingerprintOf(directory: string, fingerprintsFile?: string): Promise<string> {
  const engine = await createEngine({ directory, cacheBytes: 0, fingerprintsFile });
  engine.destroy();
  return engine.info.fingerprint;
}

/** Changes what is kept of a model, so that it shows whether it is believed. */
async function forge(file: string): Promise<void> {
  const text = await Deno.readTextFile(file);
  await Deno.writeTextFile(
    file,
    text.replace(/"fingerprint": "\w+"/, `"fingerprint": "${"abc".repeat(20)}"`),
  );
}

Deno.test("a fingerprint is made once, kept, and made again of files that were changed", () =>
  withCopy(async (directory, file) => {
    const { ctime } = await Deno.stat(join(directory, "model.safetensors"));
    const made = await fingerprintOf(directory);
    // The time of change can't be set back: the clock is set instead.
    await withClockAt(+ctime! + 1000, async () => {
      assert.equal(await fingerprintOf(directory, file), made);
    });
    await assert.rejects(Deno.stat(file), Deno.errors.NotFound, "of files written to just now");
    await withClockAt(+ctime! + 10_000, async () => {
      assert.equal(await fingerprintOf(directory, file), made);
    });
    await forge(file);
    assert.equal(await fingerprintOf(directory, file), "abc".repeat(20).slice(0, 32));

    // Written to, its size and its time of writing as before: the time of change tells.
    const path = join(directory, "model.safetensors");
    const { mtime } = await Deno.stat(path);
    const bytes = await Deno.readFile(path);
    bytes.set([0, 0, 0, 0x40], bytes.length - 4);
    await Deno.writeFile(path, bytes);
    await Deno.utime(path, mtime!, mtime!);
    const other = await fingerprintOf(directory, file);
    assert.match(other, /^[0-9a-f]{32}$/);
    assert.notEqual(other, made);
  }));

Deno.test("another config.json is another model, and a broken file of fingerprints is none", () =>
  withCopy(async (directory, file) => {
    await Deno.utime(join(directory, "model.safetensors"), HOUR_AGO, HOUR_AGO);
    await Deno.mkdir(join(file, ".."), { recursive: true });
    await Deno.writeTextFile(file, "{ broken");
    const made = await fingerprintOf(directory, file);
    const path = join(directory, "config.json");
    const config = JSON.parse(await Deno.readTextFile(path));
    await Deno.writeTextFile(path, JSON.stringify({ ...config, activation_function: "relu" }));
    assert.notEqual(await fingerprintOf(directory, file), made);
  }));
