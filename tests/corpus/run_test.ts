import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mergeShards } from "../../src/corpus/jobs/merge_shards.ts";
import { writeFile } from "../../src/corpus/output/write_file.ts";
import { python } from "../support/python.ts";
import { Random } from "../support/random.ts";
import { fakeRun } from "./fake_run.ts";

const LINES = Array.from({ length: 950 }, (_, i) => {
  if (i === 17) return "x".repeat(100); // too long
  return i === 101 ? "" : `row ${i % 300}`; // empty, and rows that come again
});

/** Every file of a directory and the hash of what is in it. */
async function hashes(directory: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { name } of Deno.readDir(directory)) {
    const bytes = await Deno.readFile(`${directory}/${name}`);
    found[name] = createHash("sha256").update(bytes).digest("hex");
  }
  return Object.fromEntries(Object.entries(found).sort());
}

async function withInput(
  use: (place: { input: string; out: (name: string) => string }) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    const input = `${directory}/rows.txt`;
    await Deno.writeTextFile(input, LINES.join("\n"));
    await use({ input, out: (name) => `${directory}/${name}` });
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("a run of 950 rows, read by pyarrow: a row each, refused ones too", () =>
  withInput(async ({ input, out }) => {
    const { manifest, isDone, files } = await fakeRun({ input, directory: out("a") });
    assert(isDone);
    assert.deepEqual(files, ["examples.parquet", "head-statistics.parquet"]);
    assert.equal(manifest.parts.length, 10);
    assert.deepEqual(manifest.parts[0]!.refused, { PROMPT_TOO_LONG: 1 });
    assert.deepEqual(manifest.parts[1]!.refused, { PROMPT_EMPTY: 1 });
    const read = await python(
      `
import sys, json, glob, pyarrow.parquet as pq
rows = [r for f in sorted(glob.glob(sys.argv[1] + "/part-*.parquet")) for r in pq.read_table(f).to_pylist()]
heads = pq.read_table(sys.argv[1] + "/head-statistics.parquet")
examples = {r["prompt"]: r for r in pq.read_table(sys.argv[1] + "/examples.parquet").to_pylist()}
used = {e["prompt"] for h in heads.to_pylist() for e in h["examples"] + h["examples_by_prompt"]}
print(json.dumps({"index": [r["index"] for r in rows], "codes": {r["index"]: r["code"] for r in rows if r["code"]},
  "heads": heads.num_rows, "same": used == set(examples), "text": examples[min(used)]["text"],
  "about": json.loads(heads.schema.metadata[b"infoflow"])["rows"]}))
`,
      { args: [out("a")] },
    ) as { index: number[] } & Record<string, unknown>;
    assert.deepEqual(read.index, LINES.map((_, i) => i));
    assert.deepEqual(read.codes, { 17: "PROMPT_TOO_LONG", 101: "PROMPT_EMPTY" });
    assert.deepEqual([read.heads, read.same, read.about], [6, true, 950]);
    assert.match(String(read.text), /^row \d+$/);
  }));

Deno.test("1, 2 and 4 shards are the same bytes, merged in any order, in one directory or several", () =>
  withInput(async ({ input, out }) => {
    await fakeRun({ input, directory: out("whole") });
    const whole = await hashes(out("whole"));
    for (const shards of [2, 4]) {
      const names: string[] = [];
      for (let shard = shards; shard >= 1; shard--) {
        names.push(out(`${shard}of${shards}`));
        await fakeRun({ input, directory: names.at(-1)!, shard, shards });
      }
      await mergeShards(out(`merged${shards}`), names);
      assert.deepEqual(await hashes(out(`merged${shards}`)), whole);
      await mergeShards(out(`back${shards}`), names.toReversed());
      assert.deepEqual(await hashes(out(`back${shards}`)), whole);
    }
    await Promise.all(
      [1, 2, 3].map((shard) => fakeRun({ input, directory: out("together"), shard, shards: 3 })),
    );
    await mergeShards(out("together"), []);
    assert.deepEqual(await hashes(out("together")), whole);

    await assert.rejects(mergeShards(out("half"), [out("1of2")]), {
      message: "Cannot merge as parts are missing: 1, 3, 5, 7, 9",
    });
    await fakeRun({ input, directory: out("other"), top: 5 });
    await assert.rejects(
      mergeShards(out("mixed"), [out("1of2"), out("other")]),
      /top was 4 and is 5/,
    );
  }));

Deno.test("a run that is killed twenty times at random and begun again is the same bytes", () =>
  withInput(async ({ input, out }) => {
    await fakeRun({ input, directory: out("whole"), partRows: 25 });
    const random = new Random(18);
    // At least 38 * 60 ms of work, of which no try gets more than 600 ms.
    const options = JSON.stringify({ input, directory: out("killed"), partRows: 25, ms: 60 });
    const program = new URL("fake_run.ts", import.meta.url).pathname;
    let [kills, parts] = [0, 0];
    for (; kills < 20; kills++) {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", program, options],
        stdout: "null",
        stderr: "null",
      }).spawn();
      const timer = setTimeout(() => child.kill("SIGKILL"), 600 * random.uniform());
      const { success } = await child.status;
      clearTimeout(timer);
      const manifest = await Deno.readTextFile(`${out("killed")}/_infoflow.json`).catch(() => "{}");
      const done = (JSON.parse(manifest).parts ?? []).length;
      assert(done >= parts, "a part that was done is done no more");
      parts = done;
      if (success) break;
    }
    await fakeRun({ input, directory: out("killed"), partRows: 25 });
    assert.deepEqual(await hashes(out("killed")), await hashes(out("whole")));
    assert(kills >= 4, `it was killed ${kills} times only`);
  }));

Deno.test("a run that is told to stop ends after its current part, and can be resumed", () =>
  withInput(async ({ input, out }) => {
    let asked = 0;
    const stopped = await fakeRun({ input, directory: out("a"), isStopped: () => ++asked > 3 });
    assert.deepEqual([stopped.isDone, stopped.manifest.parts.length, stopped.files], [
      false,
      3,
      [],
    ]);
    const { isDone } = await fakeRun({ input, directory: out("a") });
    assert(isDone);
    await fakeRun({ input, directory: out("b") });
    assert.deepEqual(await hashes(out("a")), await hashes(out("b")));
  }));

Deno.test("what can't go on is refused, and nothing is lost", () =>
  withInput(async ({ input, out }) => {
    await fakeRun({ input, directory: out("a") });
    const before = await hashes(out("a"));
    const refused = async (run: Parameters<typeof fakeRun>[0], message: RegExp): Promise<void> => {
      await assert.rejects(fakeRun(run), { name: "InfoflowError", message });
    };
    const again = { input, directory: out("a") };
    await refused({ ...again, top: 7 }, /as it has another run: top was 4 and is 7\. Give the/);
    await refused({ ...again, model: "gpt2" }, /the model was .*"fake".* and is .*"gpt2"/);
    await refused({ ...again, partRows: 50 }, /rows of a part was 100 and is 50/);
    const other = out("other.txt");
    await Deno.writeTextFile(other, "another\n");
    await refused({ ...again, input: other }, /the hash of .*other\.txt was/);
    assert.deepEqual(await hashes(out("a")), before);

    await Deno.mkdir(out("full"));
    await Deno.writeTextFile(`${out("full")}/thesis.tex`, "");
    await refused({ input, directory: out("full") }, /must be empty or have a run .*thesis\.tex/);
    await refused({ input, directory: other }, /as it is no directory/);
    await Deno.mkdir(out("around"));
    await Deno.copyFile(input, `${out("around")}/rows.txt`);
    const inside = { input: `${out("around")}/rows.txt`, directory: out("around") };
    await refused(inside, /as .*rows\.txt lies in it/);

    const slow = fakeRun({ input, directory: out("b"), ms: 100 });
    while (!await Deno.stat(`${out("b")}/_infoflow.lock`).catch(() => undefined)) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await refused({ input, directory: out("b") }, /as another process is at work there/);
    await slow;
  }));

Deno.test("a part whose file is gone or another is made again", () =>
  withInput(async ({ input, out }) => {
    await fakeRun({ input, directory: out("a") });
    const before = await hashes(out("a"));
    await Deno.remove(`${out("a")}/part-00003.parquet`);
    await Deno.truncate(`${out("a")}/statistics-00005.json`, 100);
    await Deno.writeTextFile(`${out("a")}/part-00007.parquet.partial`, "half");
    await fakeRun({ input, directory: out("a") });
    assert.deepEqual(await hashes(out("a")), before);
  }));

Deno.test("a full disk is an error that says so, and leaves no partial file", async () => {
  const directory = await Deno.makeTempDir();
  const full = Object.assign(new Error("No space left on device (os error 28)"), {
    code: "ENOSPC",
  });
  async function* pieces(): AsyncGenerator<Uint8Array> {
    yield await Promise.resolve(new Uint8Array(10));
    throw full;
  }
  await assert.rejects(writeFile(`${directory}/a`, pieces()), {
    code: "DISK_FULL",
    message:
      `Cannot write ${directory}/a as the disk is full: make room and run the same command again, nothing is lost`,
  });
  assert.deepEqual(await Array.fromAsync(Deno.readDir(directory)), []);
  await Deno.remove(directory);
});
