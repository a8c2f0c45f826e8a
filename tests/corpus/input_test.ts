import assert from "node:assert/strict";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { Corpus } from "../../src/corpus/input/corpus.ts";
import { expandInputs } from "../../src/corpus/input/expand_inputs.ts";
import { formatOf } from "../../src/corpus/input/formats.ts";
import { survey } from "../../src/corpus/input/survey.ts";
import { promptColumn, promptsIn } from "../../src/server/batch/prompt_column.ts";
import { python } from "../support/python.ts";

type Row = { readonly index: number; readonly prompt: unknown; readonly fault?: string };

async function withFiles(
  files: Readonly<Record<string, string | Uint8Array>>,
  use: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    for (const [name, content] of Object.entries(files)) {
      const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
      await Deno.writeFile(`${directory}/${name}`, bytes);
    }
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function open(paths: readonly string[]): Promise<Corpus> {
  return new Corpus(await Promise.all(paths.map((path) => survey(path, formatOf(path)))));
}

async function rows(corpus: Corpus, first = 0, end = corpus.rows): Promise<Row[]> {
  const found: Row[] = [];
  for await (const { batch, faults, first: at } of corpus.read(first, end)) {
    const column = promptColumn(batch.schema);
    let row = 0;
    for (const prompt of promptsIn(batch.getChild(column.name)!, column)) {
      const fault = faults.get(row);
      found.push({ index: at + row, prompt, ...(fault === undefined ? {} : { fault }) });
      row++;
    }
  }
  await corpus.close();
  return found;
}

const TEXT = Array.from({ length: 2500 }, (_, i) => `line ${i}`);

Deno.test("text: a line is a prompt, ends of both kinds, plain and compressed, cut anywhere", () =>
  withFiles({
    "a.txt": "one\ntwo\r\n\n läßt\nlast",
    "b.txt.gz": new Uint8Array([...gzipSync("three\nfo"), ...gzipSync("ur\n")]),
    "c.txt.zst": new Uint8Array([...zstdCompressSync("five\n"), ...zstdCompressSync("six")]),
    "d.txt": TEXT.join("\n"),
    "bad.txt": new Uint8Array([104, 105, 10, 0xff, 10, 104, 111]),
  }, async (directory) => {
    const names = ["a.txt", "b.txt.gz", "c.txt.zst", "d.txt"].map((it) => `${directory}/${it}`);
    const corpus = await open(names);
    const texts = ["one", "two", "", " läßt", "last", "three", "four", "five", "six", ...TEXT];
    assert.equal(corpus.rows, texts.length);
    const all = texts.map((prompt, index) => ({ index, prompt: { prompt } }));
    assert.deepEqual(await rows(corpus), all);
    // Parts begin anywhere, and go forth and back.
    for (const [first, end] of [[0, 1], [3, 7], [1030, 1034], [1034, 1040], [8, 2000], [2, 3]]) {
      assert.deepEqual(await rows(corpus, first, end), all.slice(first, end));
    }
    const wrong = await rows(await open([`${directory}/bad.txt`]));
    assert.deepEqual(wrong.map(({ fault }) => fault), [
      undefined,
      "The line is not UTF-8",
      undefined,
    ]);
  }));

Deno.test("JSONL: objects of any columns; a line that is none is a row that says so", () =>
  withFiles({
    "a.jsonl":
      '{"prompt": "one", "n": 1, "x": [1, "a"]}\nnonsense\n\n[1]\n{"prompt": null, "n": 2.5}\n',
  }, async (directory) => {
    const corpus = await open([`${directory}/a.jsonl`]);
    const found = await rows(corpus);
    assert.deepEqual(found.map(({ prompt }) => prompt), [{ prompt: "one" }, null, null, null]);
    assert.match(found[1]!.fault!, /^The line is not JSON: /);
    assert.equal(found[2]!.fault, "The line is not an object in JSON");
    for await (const { batch: { schema } } of corpus.read(0, 1)) {
      const types = schema.fields.map(({ name, type }) => `${name} ${type}`);
      assert.deepEqual(types, ["prompt Utf8", "n Float64", "x Utf8"]);
    }
    await corpus.close();
  }));

Deno.test("CSV: quotes, line ends within them, tabs; a row with too much is an error that names its line", () =>
  withFiles({
    "a.csv": '\ufeffid,prompt\n1,"one, ""two""\nthree"\n2,four\n',
    "b.tsv": "prompt\tid\nfive\t3\n",
    "wrong.csv": "prompt\none,two\n",
  }, async (directory) => {
    const found = await rows(await open([`${directory}/a.csv`, `${directory}/b.tsv`]));
    assert.deepEqual(
      found.map(({ prompt }) => prompt),
      ['one, "two"\nthree', "four", "five"].map((prompt) => ({ prompt })),
    );
    await assert.rejects(open([`${directory}/wrong.csv`]), /Invalid Record Length.*line 2/);
  }));

Deno.test("Parquet and Arrow that Python wrote: texts, dictionaries, ids, nulls, several row groups", () =>
  withFiles({}, async (directory) => {
    await python(
      `
import sys, pyarrow as pa, pyarrow.parquet as pq, pyarrow.feather as feather
d = sys.argv[1]
n = 3000
t = pa.table({"prompt": [None if i == 7 else f"row {i}" for i in range(n)], "id": pa.array(range(n), pa.int64()),
  "when": pa.array([0] * n, pa.timestamp("ms")), "nested": [{"a": [1]}] * n})
for c in ("snappy", "zstd", "none"): pq.write_table(t, f"{d}/{c}.parquet", compression=c, row_group_size=700)
i = pa.table({"ids": pa.array([[50256, i] for i in range(10)], pa.list_(pa.int32()))})
pq.write_table(i, f"{d}/ids.parquet")
feather.write_feather(i, f"{d}/ids.arrow", compression="uncompressed")
s = pa.table({"prompt": pa.array(["a", "b", "a"]).dictionary_encode()})
with pa.ipc.new_stream(f"{d}/dictionary.arrows", s.schema) as w: w.write_table(s)
large = pa.table({"prompt": pa.array(["a", None, "c"], pa.large_string())})
with pa.ipc.new_stream(f"{d}/large.arrows", large.schema) as w: w.write_table(large)
print("null")
`,
      { args: [directory] },
    );
    for (const compression of ["snappy", "zstd", "none"]) {
      const corpus = await open([`${directory}/${compression}.parquet`]);
      assert.equal(corpus.rows, 3000);
      const found = await rows(corpus, 2, 2998);
      assert.deepEqual(found[0], { index: 2, prompt: { prompt: "row 2" } });
      assert.equal(found[5]!.prompt, null);
      assert.deepEqual(found.at(-1), { index: 2997, prompt: { prompt: "row 2997" } });
    }
    for (const name of ["ids.parquet", "ids.arrow"]) {
      const found = await rows(await open([`${directory}/${name}`]));
      assert.deepEqual(found[3], { index: 3, prompt: { ids: [50256, 3] } });
    }
    const texts = async (name: string): Promise<unknown[]> =>
      (await rows(await open([`${directory}/${name}`]))).map(({ prompt }) => prompt);
    const [a, b, c] = ["a", "b", "c"].map((prompt) => ({ prompt }));
    assert.deepEqual(await texts("dictionary.arrows"), [a, b, a]);
    assert.deepEqual(await texts("large.arrows"), [a, null, c]);

    const whole = await Deno.readFile(`${directory}/large.arrows`);
    for (const [name, bytes] of [["cut", whole.length - 8], ["torn", whole.length - 60]] as const) {
      await Deno.writeFile(`${directory}/${name}.arrows`, whole.subarray(0, bytes));
      await assert.rejects(open([`${directory}/${name}.arrows`]), Error, name);
    }
  }));

Deno.test("what is cut or isn't there is said", () =>
  withFiles({
    "a.txt.gz": gzipSync(TEXT.join("\n")).subarray(0, 50),
    "a.txt.zst": zstdCompressSync(TEXT.join("\n")).subarray(0, 500),
    "a.parquet": "PAR1 and so on",
    "b1.txt": "b",
    "b2.txt": "b",
  }, async (directory) => {
    for (const name of ["a.txt.gz", "a.txt.zst", "a.parquet"]) {
      const message = new RegExp(`^Cannot read ${directory}/${name} `);
      await assert.rejects(open([`${directory}/${name}`]), { code: "BAD_USER_INPUT", message });
    }
    const found = await expandInputs([`${directory}/b*.txt`]);
    assert.deepEqual(found, [`${directory}/b1.txt`, `${directory}/b2.txt`]);
    await assert.rejects(expandInputs([`${directory}/c*.txt`]), {
      name: "RangeError",
      message: `Cannot read ${directory}/c*.txt as there is no such file`,
    });
    await assert.rejects(expandInputs([directory]), /as it is no file: name its files/);
    assert.throws(() => formatOf("x.docx"), /as its ending must be one of parquet, /);
  }));
