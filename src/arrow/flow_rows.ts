import {
  type Data,
  type DataType,
  Dictionary,
  Field,
  FixedSizeList,
  Float32,
  Int32,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  Uint16,
  Uint8,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import type { Chosen } from "../flow/choice.ts";
import type { FlowMatrix, Head } from "../flow/definitions.ts";

/** What goes into the schema's metadata, under the key `infoflow`. */
export interface FlowMetadata {
  /** Of this layout. */
  readonly version: number;
  readonly id: string;
  readonly model: string;
  readonly fingerprint: string;
  readonly prompt: string;
  /** The labels of both axes, in order. */
  readonly tokens: readonly string[];
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  /** How the layers became one matrix; not there where each head is by itself. */
  readonly aggregation?: string;
  readonly bos: string;
  /** What was taken for flow, where it is not attention. */
  readonly method?: string;
  /** Heads that were switched off. */
  readonly ablate?: readonly Head[];
  /** The layers that take part, where they were chosen or each head is by itself. */
  readonly layers?: readonly number[];
  /** The heads, likewise. */
  readonly heads?: readonly number[];
  /** How many neighbouring tokens share a cell, where each head is by itself. */
  readonly span?: number;
}

/**
 * Writes a flow as an Arrow IPC stream of one record batch, a row for each layer, head and target: `layer` (by layer and
 * by head), `head` (by head), `target`, `token`, `dropped` and `flow`, a list of P numbers. Where tokens share cells,
 * `target` is the first of the row's cell, and `token` has the text of all of them. Same flow and metadata, same bytes.
 *
 * Bodies are not compressed: apache-arrow 21.2.0 writes a wrong length into those, and HTTP compresses better.
 */
export function encodeFlowRows(
  matrix: FlowMatrix,
  metadata: FlowMetadata,
  { layers, heads }: Chosen,
): Uint8Array {
  const positions = matrix.shape.at(-1)!;
  const length = matrix.dropped.length;
  const span = metadata.span ?? 1;
  const columns: [name: string, data: Data][] = [];
  const perLayer = matrix.axes.includes("head") ? heads.length * positions : positions;
  if (matrix.axes.includes("layer")) {
    columns.push([
      "layer",
      numbers(new Uint8(), length, (row) => layers[Math.floor(row / perLayer)]!),
    ]);
  }
  if (matrix.axes.includes("head")) {
    const head = (row: number): number => heads[Math.floor(row / positions) % heads.length]!;
    columns.push(["head", numbers(new Uint8(), length, head)]);
  }
  columns.push(
    ["target", numbers(new Uint16(), length, (row) => row % positions * span)],
    ["token", tokenColumn(cellTexts(metadata.tokens, span), length)],
    ["dropped", makeData({ type: new Float32(), length, nullCount: 0, data: matrix.dropped })],
    ["flow", flowColumn(matrix.flow, { length, positions })],
  );

  const fields = columns.map(([name, { type }]) => new Field(name, type, false));
  const schema = new Schema(fields, new Map([["infoflow", JSON.stringify(metadata)]]));
  const children = columns.map(([, data]) => data);
  const rows = makeData({ type: new Struct(fields), length, nullCount: 0, children });
  const writer = new RecordBatchStreamWriter();
  writer.write(new RecordBatch(schema, rows));
  return writer.finish().toUint8Array(true);
}

function numbers(type: Uint8 | Uint16, length: number, at: (row: number) => number): Data {
  const data = Array.from({ length }, (_, row) => at(row));
  return type instanceof Uint8
    ? makeData({ type, length, nullCount: 0, data: Uint8Array.from(data) })
    : makeData({ type, length, nullCount: 0, data: Uint16Array.from(data) });
}

/** The text of each cell. */
function cellTexts(tokens: readonly string[], span: number): readonly string[] {
  if (span === 1) return tokens;
  return Array.from(
    { length: Math.ceil(tokens.length / span) },
    (_, cell) => tokens.slice(cell * span, (cell + 1) * span).join(""),
  );
}

function tokenColumn(tokens: readonly string[], length: number): Data {
  const texts = [...new Set(tokens)];
  const codes = new Map(texts.map((text, code) => [text, code]));
  const data = Int32Array.from({ length }, (_, row) => codes.get(tokens[row % tokens.length]!)!);
  // The dictionary's number is given: by itself the library counts up, and no two answers would be the same bytes.
  const type = new Dictionary(new Utf8(), new Int32(), 0);
  const dictionary = vectorFromArray(texts, new Utf8());
  return makeData({ type, length, nullCount: 0, data, dictionary });
}

function flowColumn(
  flow: Float32Array,
  { length, positions }: { length: number; positions: number },
): Data {
  const child = makeData({ type: new Float32(), length: flow.length, nullCount: 0, data: flow });
  const type = new FixedSizeList<DataType>(positions, new Field("item", new Float32(), false));
  return makeData({ type, length, nullCount: 0, child });
}
