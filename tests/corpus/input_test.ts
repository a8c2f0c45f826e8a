import assert from "node:assert/strict";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { checkColumns } from "../../src/corpus/input/check_columns.ts";
import { Corpus } from "../../src/corpus/input/corpus.ts";
import { expandInputs } from "../../src/corpus/input/expand_inputs.ts";
import { formatOf } from "../../src/corpus/input/formats.ts";
import { alike, survey } from "../../src/corpus/input/survey.ts";
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
  return new Corpus(
    alike(await Promise.all(paths.map((path) => survey(path, formatOf(path))))),
  );
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

Deno.test("JSONL: objects of any columns; a line that is no object is a row with an error", () =>
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
      assert.deepEqual(types, ["prompt Utf8", "n Float64", "x List<Utf8>"]);
    }
    await corpus.close();
  }));

Deno.test("JSONL: numbers, truth values, lists and objects stay what they are; several kinds become JSON", () =>
  withFiles({
    "a.jsonl": [
      `{"prompt": "one", "n": 1, "x": 1, "b": true, "l": [1, null], "o": {"a": 1, "s": ["x"]}, "m": 5, "big": 9007199254740993, "z": null}`,
      `{"prompt": "two", "n": -2, "x": 0.5, "b": false, "l": [], "o": {"a": 2.5, "t": {}}, "m": "5", "big": -7, "z": null}`,
      `{"prompt": "three"}`,
    ].join("\n"),
    "deep.jsonl": `{"prompt": "deep", "d": ${"[".repeat(500)}${"]".repeat(500)}}`,
  }, async (directory) => {
    const corpus = await open([`${directory}/a.jsonl`]);
    for await (const { batch } of corpus.read(0, 3)) {
      assert.deepEqual(batch.schema.fields.map(({ name, type }) => `${name} ${type}`), [
        ...["prompt Utf8", "n Int64", "x Float64", "b Bool", "l List<Int64>"],
        "o Struct<{a:Float64, s:List<Utf8>, t:Utf8}>",
        ...["m Utf8", "big Int64", "z Utf8"],
      ]);
      const values = (name: string): unknown[] => [...batch.getChild(name)!];
      assert.deepEqual(values("n"), [1n, -2n, null]);
      assert.deepEqual(values("x"), [1, 0.5, null]);
      assert.deepEqual(values("b"), [true, false, null]);
      assert.deepEqual(values("m"), ["5", '"5"', null]);
      assert.deepEqual(values("big"), [9007199254740993n, -7n, null]);
      assert.deepEqual(values("z"), [null, null, null]);
      assert.deepEqual(
        values("l").map((it) => it === null ? null : [...it as Iterable<unknown>]),
        [[1n, null], [], null],
      );
      assert.deepEqual(values("o").map((it) => JSON.stringify(it)), [
        '{"a":1,"s":["x"],"t":null}',
        '{"a":2.5,"s":null,"t":"{}"}',
        "null",
      ]);
    }
    await corpus.close();
    assert.deepEqual((await rows(await open([`${directory}/deep.jsonl`])))[0]!.prompt, {
      prompt: "deep",
    });
  }));

Deno.test("JSONL: several files have the same columns", () =>
  withFiles({
    "a.jsonl": '{"prompt": "one", "n": 1, "z": null, "o": {"a": true}}\n',
    "b.jsonl": '{"prompt": "two", "n": 1.5, "z": "text", "o": {"b": 2}}\n',
  }, async (directory) => {
    const corpus = await open([`${directory}/a.jsonl`, `${directory}/b.jsonl`]);
    const schema = await checkColumns(corpus, { column: undefined, areCarried: true });
    assert.equal(
      schema.fields.map(({ name, type }) => `${name} ${type}`).join(", "),
      "prompt Utf8, n Float64, z Utf8, o Struct<{a:Bool, b:Int64}>",
    );
    assert.deepEqual((await rows(corpus)).map(({ prompt }) => prompt), [
      { prompt: "one" },
      { prompt: "two" },
    ]);
  }));

Deno.test("JSONL: a prompt that is no text, or no list of ids, is a row that says so; a column of such is refused", () =>
  withFiles({
    "texts.jsonl": '{"prompt": "one"}\n{"prompt": 5}\n{"prompt": [1]}\n{"prompt": "5"}\n',
    "ids.jsonl": '{"ids": [1, 2]}\n{"ids": [1.5]}\n{"ids": 3}\n{"ids": []}\n',
    "numbers.jsonl": '{"prompt": 5}\n',
    "objects.jsonl": '{"prompt": {"text": "x"}}\n{"prompt": 5}\n',
  }, async (directory) => {
    const texts = await rows(await open([`${directory}/texts.jsonl`]));
    assert.deepEqual(texts.map(({ prompt }) => prompt), [
      { prompt: "one" },
      null,
      null,
      { prompt: "5" },
    ]);
    const wrong = "The value of prompt is no text: write it in quotes";
    assert.deepEqual(texts.map(({ fault }) => fault), [undefined, wrong, wrong, undefined]);
    const ids = await rows(await open([`${directory}/ids.jsonl`]));
    assert.deepEqual(ids.map(({ prompt }) => prompt), [{ ids: [1, 2] }, null, null, { ids: [] }]);
    assert.match(ids[1]!.fault!, /^The value of ids is no list of whole numbers \(token ids\)$/);
    for (const name of ["numbers", "objects"]) {
      const corpus = await open([`${directory}/${name}.jsonl`]);
      await assert.rejects(
        checkColumns(corpus, { column: undefined, areCarried: false }),
        { code: "BAD_USER_INPUT", message: /numbers|objects.*column prompt must have texts, or/ },
      );
      await corpus.close();
    }
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

Deno.test("a file that is cut, damaged or missing is an error that names it", () =>
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
