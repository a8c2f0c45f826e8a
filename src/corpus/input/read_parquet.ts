import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { batchOfRows } from "./batch_of_rows.ts";
import { type ColumnKind, structOf } from "./column_kind.ts";
import { BATCH_ROWS, type InputBatch, NO_FAULTS } from "../../server/batch/input_batch.ts";

/** The number of rows of a Parquet file, and the kinds of its columns by name. */
export interface ParquetInfo {
  readonly rows: number;
  readonly kinds: ReadonlyMap<string, ColumnKind>;
}

/**
 * Reads the footer of a Parquet file.
 *
 * @throws {Error} If it is none.
 */
export async function parquetInfo(path: string): Promise<ParquetInfo> {
  using source = await openBuffer(path);
  const metadata = await parquetMetadataAsync(source.buffer);
  return { rows: Number(metadata.num_rows), kinds: kindsOf(metadata) };
}

/** Reads a Parquet file from a row on; nothing before it is read. */
export async function* readParquet(path: string, from: number): AsyncGenerator<InputBatch> {
  using source = await openBuffer(path);
  const { buffer: file } = source;
  const metadata = await parquetMetadataAsync(file);
  const kinds = kindsOf(metadata);
  const total = Number(metadata.num_rows);
  for (let rowStart = from; rowStart < total; rowStart += BATCH_ROWS) {
    const rowEnd = Math.min(rowStart + BATCH_ROWS, total);
    const rows = await parquetReadObjects({ file, metadata, rowStart, rowEnd, compressors });
    yield batchOfRows(rows, kinds, NO_FAULTS);
  }
}

/** Reads parts of a file as they are asked for. */
export async function openBuffer(
  path: string,
): Promise<Disposable & { readonly buffer: AsyncBuffer }> {
  const file = await Deno.open(path);
  const { size } = await file.stat();
  let turn: Promise<unknown> = Promise.resolve();
  const read = async (start: number, end: number): Promise<ArrayBuffer> => {
    const bytes = new Uint8Array(end - start);
    await file.seek(start, Deno.SeekMode.Start);
    for (let at = 0; at < bytes.length;) {
      const count = await file.read(bytes.subarray(at));
      if (count === null) throw new RangeError(`Cannot read ${path} as it became shorter`);
      at += count;
    }
    return bytes.buffer;
  };
  return {
    buffer: {
      byteLength: size,
      slice: (start, end = size) => turn = turn.then(() => read(start, end)),
    } as AsyncBuffer,
    [Symbol.dispose]: () => file.close(),
  };
}

function kindsOf(metadata: FileMetaData): Map<string, ColumnKind> {
  const { children } = parquetSchema(metadata);
  return new Map(children.map((node) => [node.element.name, nodeKind(node)]));
}

type Node = ReturnType<typeof parquetSchema>;

function nodeKind(node: Node): ColumnKind {
  const { element: { repetition_type, converted_type, logical_type }, children } = node;
  if (repetition_type === "REPEATED") return "json";
  if (children.length === 0) return leafKind(node.element);
  if (converted_type === "LIST" || logical_type?.type === "LIST") {
    const [item, ...others] = children[0]!.children;
    return item !== undefined && others.length === 0 ? { list: nodeKind(item) } : "json";
  }
  if (converted_type !== undefined || logical_type !== undefined) return "json"; // such as a map
  return structOf(new Map(children.map((child) => [child.element.name, nodeKind(child)])));
}

/** Texts, numbers and truth values; what else there is, such as times, becomes JSON. */
function leafKind(
  { type, converted_type: converted, logical_type: logical }: Node["element"],
): ColumnKind {
  if (type === "BOOLEAN") return "bool";
  if (type === "FLOAT" || type === "DOUBLE") return "float64";
  const isPlain = converted === undefined && logical === undefined;
  if (type === "INT32" || type === "INT64") {
    const isWhole = isPlain || /^U?INT_/.test(converted ?? "") || logical?.type === "INTEGER";
    return isWhole ? "int64" : "json";
  }
  const isText = ["UTF8", "ENUM"].includes(converted ?? "") ||
    ["STRING", "ENUM", "UUID"].includes(logical?.type ?? "");
  return isText || isPlain && type === "BYTE_ARRAY" ? "utf8" : "json";
}
