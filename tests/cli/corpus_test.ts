import assert from "node:assert/strict";
import { CORPUS, readCorpus } from "../support/corpus.ts";
import { assertClose } from "../support/assert_close.ts";
import { python } from "../support/python.ts";

const ROOT = new URL("../../", import.meta.url);

interface Finished {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs `deno task corpus` as a user does. */
async function corpus(
  args: readonly string[],
  { input, signal }: { input?: string; signal?: (err: string) => boolean } = {},
): Promise<Finished> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "corpus", ...args],
    cwd: ROOT,
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  }
  let err = "";
  const listening = (async () => {
    let isSent = false;
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      err += text;
      if (!isSent && signal?.(err)) child.kill("SIGINT");
      isSent ||= signal?.(err) ?? false;
    }
  })();
  const out = await new Response(child.stdout).text();
  await listening;
  return { code: (await child.status).code, out, err };
}

async function withDirectory(
  use: (path: (name: string) => string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await use((name) => `${directory}/${name}`);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function bytesOf(directory: string, name: string): Promise<string> {
  return (await Deno.readFile(`${directory}/${name}`)).toBase64();
}

Deno.test("statistics of the corpus by command: the reference's values, read by pyarrow; shards", () =>
  withDirectory(async (path) => {
    const { code, out, err } = await corpus([
      "head-statistics",
      CORPUS,
      path("a"),
      "--column",
      "prompt",
    ]);
    assert.equal(code, 0, err);
    assert.match(out, /^200 of 200 rows, 3,631 tokens, 1 part in /);
    assert.match(out, / 1 refused: PROMPT_EMPTY\n +1 refused: PROMPT_TOO_LONG\n/);
    const last = JSON.parse(err.trim().split("\n").at(-1)!);
    assert.deepEqual([last.rows, last.of, last.refused], [200, 200, 2]);
    const columns = await python(
      `
import sys, json, pyarrow.parquet as pq
t = pq.read_table(sys.argv[1])
print(json.dumps({n: t[n].to_pylist() for n in ["layer", "head", "targets", "bos_mean", "entropy_variance", "by_distance"]}))
`,
      { args: [`${path("a")}/head-statistics.parquet`] },
    ) as Record<string, number[]>;
    const { statistics } = await readCorpus();
    assert.equal(columns.targets![0], 3433);
    // As in tests/head_statistics.
    assertClose(columns.bos_mean!, statistics.get("bos.mean")!, { atol: 5e-6 });
    assertClose(columns.entropy_variance!, statistics.get("entropy.variance")!, { atol: 1e-6 });
    assertClose(columns.by_distance!.flat(), statistics.get("by_distance")!, { atol: 1e-6 });

    const parts = ["--column", "prompt", "--part-rows", "30"];
    for (const shard of ["2/2", "1/2"]) {
      const { code } = await corpus([
        "head-statistics",
        CORPUS,
        path("s"),
        ...parts,
        "--shard",
        shard,
      ]);
      assert.equal(code, 0);
    }
    assert.equal((await corpus(["merge", path("s")])).code, 0);
    await corpus(["head-statistics", CORPUS, path("w"), ...parts]);
    for (const name of ["_infoflow.json", "head-statistics.parquet", "part-00003.parquet"]) {
      assert.equal(await bytesOf(path("s"), name), await bytesOf(path("w"), name), name);
    }
  }));

Deno.test("answers of rows by command, stopped by SIGINT and gone on with; standard input", () =>
  withDirectory(async (path) => {
    const lines = Array.from({ length: 120 }, (_, i) => `number ${i} of the rows`).join("\n");
    const args = ["info-flow", "-", path("a"), "--by-layer", "--part-rows", "20"];
    const stopped = await corpus(args, { input: lines, signal: (err) => err.includes('"part":0') });
    assert.equal(stopped.code, 130, stopped.err);
    assert.match(stopped.err, /stopping when this part is done/);
    assert.match(stopped.out, /the same command again goes on from here/);
    const gone = await corpus(args, { input: lines });
    assert.equal(gone.code, 0, gone.err);
    assert.match(gone.out, /^120 of 120 rows/);
    const other = await corpus(args, { input: `${lines}!` });
    assert.equal(other.code, 1);
    assert.match(other.err, /as it has another run: the hash of .* was .* and is .*BAD_USER_INPUT/);
    const shapes = await python(
      `
import sys, json, glob, pyarrow.parquet as pq
rows = [r for f in sorted(glob.glob(sys.argv[1] + "/part-*.parquet")) for r in pq.read_table(f).to_pylist()]
print(json.dumps([[r["index"], len(r["flow"]), len(r["flow"][0]), len(r["tokens"])] for r in rows]))
`,
      { args: [path("a")] },
    ) as number[][];
    assert.equal(shapes.length, 120);
    shapes.forEach(([index, layers, targets, tokens], i) =>
      assert.deepEqual([index, layers, targets], [i, 6, tokens])
    );
  }));

Deno.test("a command that can't be run says why, and writes nothing", () =>
  withDirectory(async (path) => {
    await Deno.writeTextFile(path("a.csv"), "text,label\nhello,1\n");
    const refused = async (args: string[], code: number, message: RegExp): Promise<void> => {
      const result = await corpus(args);
      assert.equal(result.code, code, result.err);
      assert.match(result.err, message);
    };
    await refused(["heads", path("a.csv"), path("b")], 2, /NAME must be one of head-statistics, /);
    await refused(["info-flow", path("a.csv")], 2, /Give what to read and where to write/);
    await refused(
      ["info-flow", "-", path("b"), "--stop-with-stdin"],
      2,
      /can't be given where the input is standard input/,
    );
    await refused(["info-flow", path("none.csv"), path("b")], 1, /as there is no such file/);
    await refused(
      ["info-flow", path("a.csv"), path("b")],
      1,
      /a\.csv: .*no column prompt: there are text, label; --column NAME says/,
    );
    await refused(
      ["info-flow", path("a.csv"), path("b"), "--column", "text", "--shard", "3/2"],
      2,
      /--shard/,
    );
    await refused(
      ["info-flow", path("a.csv"), path("b"), "--column", "text", "--method", "X"],
      1,
      /method/,
    );
    await assert.rejects(Deno.stat(path("b")), Deno.errors.NotFound);
  }));
