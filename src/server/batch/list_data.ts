import {
  type Data,
  type DataType,
  type Field,
  Float32,
  makeData,
  type Struct,
  Type,
  vectorFromArray,
} from "apache-arrow";

/** A row's numbers with their shape; null where there is no answer. */
export type NumbersRow =
  | { readonly shape: readonly number[]; readonly numbers: Float32Array }
  | null;

/** Lists in lists of numbers, a row each, as deep as the shapes are long. No list within a row is null. */
export function nestedLists(type: DataType, rows: readonly NumbersRow[]): Data {
  const numbers = joined(rows.map((row) => row?.numbers ?? new Float32Array(0)));
  let child: Data = makeData({
    type: new Float32(),
    length: numbers.length,
    nullCount: 0,
    data: numbers,
  });
  const types: DataType[] = [];
  for (let it = type; it.typeId === Type.List; it = (it.children[0] as Field).type) types.push(it);
  types.toReversed().forEach((type, level) => {
    const axis = types.length - 1 - level;
    const lengths = rows.flatMap((row) => {
      if (!row) return axis === 0 ? [0] : [];
      const lists = row.shape.slice(0, axis).reduce((product, size) => product * size, 1);
      return new Array<number>(lists).fill(row.shape[axis]!);
    });
    child = listData(type, { lengths, child, nulls: axis === 0 ? nullsOf(rows) : undefined });
  });
  return child;
}

/** Lists of structs, a row each: `columns` are the rows' tables one under the other. */
export function structLists(
  type: DataType,
  rows: readonly (readonly (readonly unknown[])[] | null)[],
): Data {
  const item = (type.children[0] as Field).type as Struct;
  const columns = item.children.map((field: Field, at: number) =>
    vectorFromArray(rows.flatMap((row) => row?.[at] ?? []), field.type).data[0]!
  );
  const lengths = rows.map((row) => row?.[0]?.length ?? 0);
  const length = lengths.reduce((a, b) => a + b, 0);
  const child = makeData({ type: item, length, nullCount: 0, children: columns });
  return listData(type, { lengths, child, nulls: nullsOf(rows) });
}

function listData(
  type: DataType,
  { lengths, child, nulls }: {
    readonly lengths: readonly number[];
    readonly child: Data;
    readonly nulls: { readonly bitmap: Uint8Array; readonly count: number } | undefined;
  },
): Data {
  const valueOffsets = new Int32Array(lengths.length + 1);
  lengths.forEach((length, at) => valueOffsets[at + 1] = valueOffsets[at]! + length);
  return makeData({
    type,
    length: lengths.length,
    nullCount: nulls?.count ?? 0,
    ...(nulls && { nullBitmap: nulls.bitmap }),
    valueOffsets,
    child,
    // deno-lint-ignore no-explicit-any -- the library's types don't know a list of anything
  } as any);
}

/** Which rows are null, a bit each: 0 where they are. */
function nullsOf(
  rows: readonly unknown[],
): { readonly bitmap: Uint8Array; readonly count: number } | undefined {
  const count = rows.filter((row) => row === null).length;
  if (count === 0) return undefined;
  const bitmap = new Uint8Array(Math.ceil(rows.length / 64) * 8);
  rows.forEach((row, at) => {
    if (row !== null) bitmap[at >> 3]! |= 1 << (at & 7);
  });
  return { bitmap, count };
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
