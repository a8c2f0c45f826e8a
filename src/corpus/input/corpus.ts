import { BATCH_ROWS, type InputBatch } from "../../server/batch/input_batch.ts";
import { type InputFile, rowsOf } from "./survey.ts";

/** A batch of rows, and the number of its first row in the whole corpus. */
export interface CorpusBatch extends InputBatch {
  readonly first: number;
}

interface Cursor {
  readonly file: number;
  /** The row of the corpus that comes next. */
  next: number;
  readonly batches: AsyncGenerator<InputBatch>;
  /** The rest of the last batch. */
  rest: CorpusBatch | undefined;
}

/** The rows of some files, one after the other, numbered from 0. */
export class Corpus {
  readonly files: readonly InputFile[];
  /** How many rows there are. */
  readonly rows: number;
  readonly #firsts: readonly number[];
  #cursor: Cursor | undefined;

  constructor(files: readonly InputFile[]) {
    this.files = files;
    let rows = 0;
    this.#firsts = files.map((file) => (rows += file.rows) - file.rows);
    this.rows = rows;
  }

  /**
   * Reads a range of rows. Ranges that are asked for in their order are read in one go through the files.
   *
   * @throws {Error} If a file can't be read, or isn't what it was when it was surveyed.
   */
  async *read(first: number, end: number): AsyncGenerator<CorpusBatch> {
    let at = first;
    while (at < end) {
      const batch = await this.#batchAt(at);
      const skipped = at - batch.first;
      const taken = Math.min(batch.batch.numRows - skipped, end - at);
      if (taken < batch.batch.numRows - skipped) this.#cursor!.rest = batch;
      yield { ...cut(batch, skipped, taken), first: at };
      at += taken;
    }
  }

  /** Lets go of the file that is open. */
  async close(): Promise<void> {
    await this.#cursor?.batches.return(undefined);
    this.#cursor = undefined;
  }

  /** The batch that has a row. */
  async #batchAt(row: number): Promise<CorpusBatch> {
    const file = this.#firsts.findLastIndex((first, at) =>
      first <= row && this.files[at]!.rows > 0
    );
    let cursor = this.#cursor;
    const begin = cursor?.rest?.first ?? cursor?.next ?? Infinity;
    const { format } = this.files[file]!;
    if (
      !cursor || cursor.file !== file || begin > row || format === "parquet" && row > begin + 65_536
    ) {
      await this.close();
      // Batches begin at the same rows wherever reading begins.
      const from = format === "parquet"
        ? Math.floor((row - this.#firsts[file]!) / BATCH_ROWS) * BATCH_ROWS
        : 0;
      const batches = rowsOf(this.files[file]!, from);
      cursor = this.#cursor = { file, next: this.#firsts[file]! + from, batches, rest: undefined };
    }
    for (;;) {
      const { rest } = cursor;
      cursor.rest = undefined;
      if (rest && row < rest.first + rest.batch.numRows) return rest;
      const { done, value } = await cursor.batches.next();
      if (done) throw new RangeError(`Cannot read ${this.files[file]!.path} as it became shorter`);
      cursor.rest = { ...value, first: cursor.next };
      cursor.next += value.batch.numRows;
    }
  }
}

function cut({ batch, faults }: CorpusBatch, skipped: number, taken: number): InputBatch {
  if (skipped === 0 && taken === batch.numRows) return { batch, faults };
  const kept = [...faults].filter(([row]) => row >= skipped && row < skipped + taken);
  return {
    batch: batch.slice(skipped, skipped + taken),
    faults: new Map(kept.map(([row, fault]) => [row - skipped, fault])),
  };
}
