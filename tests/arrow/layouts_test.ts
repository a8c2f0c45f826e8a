import assert from "node:assert/strict";
import { tableFromIPC } from "@uwdata/flechette";
import { encodeMatrix } from "../../src/server/arrow/encode.ts";
import { DEFAULT_FORM } from "../../src/server/arrow/form.ts";
import type { LabelledMatrix, Metadata } from "../../src/server/arrow/labelled_matrix.ts";
import { python } from "../support/python.ts";
import { Random } from "../support/random.ts";

const LAYERS = 3;
const TOKENS = ["Zoë", " ate", " ate", "\\xf0\\x9f", "\n\u0000"];
const LABELS = {
  layers: [0, 1, 2],
  heads: [0, 1],
  tokens: TOKENS,
  span: 1,
  targets: [0, 1, 2, 3, 4],
};

function someFlow(byLayer: boolean): { matrix: LabelledMatrix; metadata: Metadata } {
  const P = TOKENS.length;
  const rows = byLayer ? LAYERS * P : P;
  const random = new Random(1);
  const shape = byLayer ? [LAYERS, P, P] : [P, P];
  const axes = byLayer ? ["layer", "target", "source"] : ["target", "source"];
  const matrix = {
    flow: random.normals(rows * P),
    dropped: random.normals(rows),
    shape,
    axes,
    ...LABELS,
  };
  const metadata = {
    version: 2,
    id: "0123",
    model: "bundled",
    fingerprint: "4567",
    prompt: 'Zoë "ate" 🍣',
    tokens: TOKENS,
    ids: [57, 1, 1, 4, 5],
    axes,
    shape,
    aggregation: "MEAN",
    bos: "DROP",
  };
  return { matrix, metadata };
}

const PYARROW = `
import base64, json, sys
import pyarrow as pa
stream = base64.b64decode(json.load(sys.stdin))
with pa.ipc.open_stream(stream) as reader:
    batches = list(reader)
    schema = reader.schema
[batch] = batches
batch.validate(full=True)
print(json.dumps({
    "schema": [[f.name, str(f.type), f.nullable] for f in schema],
    "metadata": json.loads(schema.metadata[b"infoflow"]),
    "rows": batch.num_rows,
    "columns": {name: batch.column(name).to_pylist() for name in schema.names},
}))
`;

interface FromPython {
  schema: [name: string, type: string, nullable: boolean][];
  metadata: Metadata;
  rows: number;
  columns: {
    layer?: number[];
    target: number[];
    token: string[];
    dropped: number[];
    flow: number[][];
  };
}

for (const byLayer of [false, true]) {
  const name = byLayer ? "by layer" : "for all layers";

  Deno.test(`pyarrow reads a flow ${name} as the contract has it`, async () => {
    const { matrix, metadata } = someFlow(byLayer);
    const bytes = encodeMatrix(matrix, metadata, DEFAULT_FORM);
    const read = await python(PYARROW, { input: bytes.toBase64() }) as FromPython;
    const layer: FromPython["schema"] = byLayer ? [["layer", "int32", false]] : [];
    assert.deepEqual(read.schema, [
      ...layer,
      ["target", "int32", false],
      ["token", "dictionary<values=string, indices=int32, ordered=0>", false],
      ["dropped", "float", false],
      ["flow", "fixed_size_list<item: float not null>[5]", false],
    ]);
    assert.deepEqual(read.metadata, metadata);
    const P = TOKENS.length;
    const rows = Array.from(matrix.dropped, (_, row) => row);
    assert.equal(read.rows, rows.length);
    if (byLayer) assert.deepEqual(read.columns.layer, rows.map((row) => Math.floor(row / P)));
    assert.deepEqual(read.columns.target, rows.map((row) => row % P));
    assert.deepEqual(read.columns.token, rows.map((row) => TOKENS[row % P]));
    assert.deepEqual(read.columns.dropped, Array.from(matrix.dropped));
    assert.deepEqual(read.columns.flow.flat(), Array.from(matrix.flow));
  });

  Deno.test(`flechette reads a flow ${name}`, () => {
    const { matrix, metadata } = someFlow(byLayer);
    const table = tableFromIPC(encodeMatrix(matrix, metadata, DEFAULT_FORM));
    assert.equal(table.numRows, matrix.dropped.length);
    assert.deepEqual(JSON.parse(table.schema.metadata!.get("infoflow")!), metadata);
    const lists = table.getChild("flow").toArray() as ArrayLike<number>[];
    assert.deepEqual(Array.from(lists, (list) => Array.from(list)).flat(), Array.from(matrix.flow));
    const tokens = Array.from(table.getChild("token"));
    assert.deepEqual(tokens.slice(0, TOKENS.length), TOKENS);
  });
}

Deno.test("the same flow gives the same bytes", () => {
  const { matrix, metadata } = someFlow(true);
  assert.deepEqual(
    encodeMatrix(matrix, metadata, DEFAULT_FORM),
    encodeMatrix(matrix, metadata, DEFAULT_FORM),
  );
});
