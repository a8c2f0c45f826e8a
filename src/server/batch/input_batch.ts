import type { RecordBatch } from "apache-arrow";

/** Some rows of a corpus, in their order. */
export interface InputBatch {
  /** All columns that the file has. */
  readonly batch: RecordBatch;
  /** Rows of the batch that could not be read, and why; their values are null. */
  readonly faults: ReadonlyMap<number, string>;
}

/** Rows of a batch, as far as readers can choose. */
export const BATCH_ROWS = 1024;

/** The faults of a batch without any. */
export const NO_FAULTS: ReadonlyMap<number, string> = new Map();
