import {
  type DataType,
  Field,
  Int32,
  List,
  Table,
  tableToIPC,
  type Vector,
  vectorFromArray,
} from "apache-arrow";

/** An Arrow stream of some columns: texts are dictionaries, as arrow-js makes them. */
export function arrowBody(columns: Record<string, readonly unknown[]>): Uint8Array<ArrayBuffer> {
  const vectors = Object.entries(columns).map(([name, values]): [string, Vector] => {
    if (!values.some(Array.isArray)) return [name, vectorFromArray(values as string[])];
    const type = new List<DataType>(new Field("item", new Int32(), true));
    return [name, vectorFromArray(values, type)];
  });
  return tableToIPC(new Table(Object.fromEntries(vectors)), "stream") as Uint8Array<ArrayBuffer>;
}
