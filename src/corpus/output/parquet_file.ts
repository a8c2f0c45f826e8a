import type { RecordBatch, Schema } from "apache-arrow";
import { writeParquet } from "./write_parquet.ts";

/** A Parquet file that is written a batch at a time. It is there under its name once it is closed. */
export class ParquetFile {
  readonly #writer: WritableStreamDefaultWriter<RecordBatch>;
  readonly #bytes: Promise<number>;

  /** @param schema Of the batches; its metadata become the file's. */
  constructor(path: string, schema: Schema) {
    const { readable, writable } = new TransformStream<RecordBatch, RecordBatch>();
    this.#writer = writable.getWriter();
    this.#bytes = writeParquet(path, schema, readable);
    // Thrown where the file is written to or closed.
    this.#bytes.catch((error) => this.#writer.abort(error));
    this.#writer.closed.catch(() => {});
  }

  /**
   * Writes rows.
   *
   * @throws {InfoflowError} DISK_FULL.
   */
  async write(batch: RecordBatch): Promise<void> {
    await this.#orWhy(this.#writer.write(batch));
  }

  /**
   * Ends the file.
   *
   * @returns How many bytes it has.
   * @throws {InfoflowError} DISK_FULL.
   */
  async close(): Promise<number> {
    await this.#orWhy(this.#writer.close());
    return await this.#bytes;
  }

  /** Gives the file up: nothing is left of it. */
  async abort(): Promise<void> {
    await this.#writer.abort(new Error("given up")).catch(() => {});
    await this.#bytes.catch(() => {});
  }

  /** Where the stream is broken off, the file has the reason. */
  async #orWhy(written: Promise<void>): Promise<void> {
    try {
      await written;
    } catch (error) {
      await this.#bytes;
      throw error;
    }
  }
}
