import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
} from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { LRUCache } from "lru-cache";
import { pruned } from "./pruned.ts";

/** Row groups that are kept in memory. */
const KEPT_GROUPS = 32;

/** Rows of a Parquet file, read from the disk a row group at a time. */
export class ParquetRows<Row extends object> {
  readonly #path: string;
  readonly #groups = new LRUCache<number, Promise<readonly Row[]>>({ max: KEPT_GROUPS });
  readonly #isLeft: ((path: readonly string[]) => boolean) | undefined;
  #metadata: Promise<FileMetaData> | undefined;

  /** @param isLeft Whether a field is not read, by the names that lead to it. */
  constructor(path: string, isLeft?: (path: readonly string[]) => boolean) {
    this.#path = path;
    this.#isLeft = isLeft;
  }

  /** A row by its number; undefined if the file has fewer rows. */
  async row(index: number): Promise<Row | undefined> {
    const { row_groups: groups } = await this.#header();
    let first = 0;
    for (const [number, group] of groups.entries()) {
      const end = first + Number(group.num_rows);
      if (index < end) {
        const known = this.#groups.get(number) ?? this.#read(first, end);
        this.#groups.set(number, known);
        return (await known)[index - first];
      }
      first = end;
    }
    return undefined;
  }

  /** Some columns of all rows, one row group after the other. */
  async *groups<Name extends keyof Row & string>(
    columns: readonly Name[],
  ): AsyncGenerator<readonly Pick<Row, Name>[]> {
    const { row_groups: groups } = await this.#header();
    let first = 0;
    for (const group of groups) {
      const end = first + Number(group.num_rows);
      yield await this.#read(first, end, [...columns]);
      first = end;
    }
  }

  /** The file's metadata under `infoflow`. */
  async about(): Promise<unknown> {
    const { key_value_metadata: entries } = await this.#header();
    const text = entries?.find(({ key }) => key === "infoflow")?.value;
    return text === undefined ? undefined : JSON.parse(text);
  }

  async #header(): Promise<FileMetaData> {
    return await (this.#metadata ??= this.#withFile(async (file) => {
      const metadata = await parquetMetadataAsync(file);
      return this.#isLeft ? pruned(metadata, this.#isLeft) : metadata;
    }));
  }

  async #read(rowStart: number, rowEnd: number, columns?: string[]): Promise<readonly Row[]> {
    const metadata = await this.#header();
    const options = { metadata, rowStart, rowEnd, compressors, ...(columns && { columns }) };
    return await this.#withFile(async (file) =>
      await parquetReadObjects({ ...options, file }) as unknown as Row[]
    );
  }

  async #withFile<T>(use: (file: AsyncBuffer) => Promise<T>): Promise<T> {
    using file = await Deno.open(this.#path);
    const { size } = await file.stat();
    let turn: Promise<unknown> = Promise.resolve();
    const read = async (start: number, end: number): Promise<ArrayBuffer> => {
      const bytes = new Uint8Array(end - start);
      await file.seek(start, Deno.SeekMode.Start);
      for (let at = 0; at < bytes.length;) {
        const count = await file.read(bytes.subarray(at));
        if (count === null) throw new RangeError(`Cannot read ${this.#path} as it became shorter`);
        at += count;
      }
      return bytes.buffer;
    };
    return await use({
      byteLength: size,
      slice: (start, end = size) => turn = turn.then(() => read(start, end)),
    } as AsyncBuffer);
  }
}
