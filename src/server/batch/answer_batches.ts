import {
  type Data,
  DataType,
  Field,
  Int64,
  makeData,
  type RecordBatch,
  Schema,
  vectorFromArray,
} from "apache-arrow";
import { isLong, pause } from "../../pauses.ts";
import { InfoflowError } from "../../errors.ts";
import { batchOf, type BatchQuestion, type RowAnswer } from "./batch_question.ts";
import type { InputBatch } from "./input_batch.ts";
import { type PromptColumn, promptsIn } from "./prompt_column.ts";
import { type AskedRow, RowAnswers } from "./row_answers.ts";

/** A batch is sent as soon as it has this many bytes, or is this old. */
const MOST_ROWS = 64;
const MOST_BYTES = 2 ** 20;
const MOST_MS = 200;

/** Batches of rows, and the number of the first row of each. */
export type NumberedBatches = AsyncIterable<InputBatch & { readonly first: number }>;

/** How rows of a table are answered. */
export interface AnswerBatchesOptions {
  readonly column: PromptColumn;
  /** The most ms from a batch's first row until the batch is handed on, 200 by default. */
  readonly mostMs?: number;
  /** Told of each row, as it is handed on. */
  onRow?(row: RowAnswer): void;
}

/**
 * The schema of answers to the rows of a table: its columns but the prompts, `index`, then those of the answers.
 *
 * @throws {InfoflowError} BAD_USER_INPUT if one of its columns bears the name of a column of the answers; it is named.
 */
export function answersSchema(
  question: BatchQuestion,
  { fields }: Schema,
  { name: prompts }: PromptColumn,
): Schema {
  const own = [new Field("index", new Int64(), false), ...question.fields];
  const names = own.map(({ name }) => name);
  const carried = fields.filter(({ name }) => name !== prompts).map(carriedField);
  const clash = carried.find(({ name }) => names.includes(name));
  if (clash) {
    throw new InfoflowError(
      "BAD_USER_INPUT",
      `Cannot carry the column ${clash.name} as the answers have one of this name: rename it`,
    );
  }
  const metadata = new Map([["infoflow", JSON.stringify(question.metadata)]]);
  return new Schema([...carried, ...own], metadata);
}

/**
 * Answers the rows of a table, one row each, in their order. Nothing is begun before it is asked for, but for a window
 * of rows ahead.
 *
 * @param schema As {@linkcode answersSchema} gave it.
 * @throws {InfoflowError} What is no row's fault.
 */
export async function* answerBatches(
  question: BatchQuestion,
  inputs: NumberedBatches,
  { column, schema, onRow, mostMs = MOST_MS }: AnswerBatchesOptions & { readonly schema: Schema },
): AsyncGenerator<RecordBatch> {
  const answers = new RowAnswers(question);
  for await (const input of inputs) {
    let done = 0;
    for await (const rows of inBatches(answers.of(asked(input, column)), mostMs)) {
      const { batch, first } = input;
      rows.forEach((row) => onRow?.(row));
      const children = [
        ...carriedData(batch.slice(done, done + rows.length), column),
        indices(first + done, rows.length),
        ...question.columns(rows),
      ];
      if (isLong()) await pause();
      yield batchOf(schema, children, rows.length);
      if (isLong()) await pause();
      done += rows.length;
    }
  }
}

function* asked({ batch, faults }: InputBatch, column: PromptColumn): Generator<AskedRow> {
  let row = 0;
  for (const prompt of promptsIn(batch.getChild(column.name)!, column)) {
    yield { prompt, fault: faults.get(row) };
    row++;
  }
}

/** Puts rows together, as many as make a batch. */
async function* inBatches(
  answers: AsyncGenerator<RowAnswer>,
  mostMs: number,
): AsyncGenerator<RowAnswer[]> {
  let rows: RowAnswer[] = [];
  let bytes = 0;
  let since = 0;
  try {
    let next = answers.next();
    for (;;) {
      const isLate = rows.length > 0 && mostMs < Infinity;
      const wait = isLate ? since + mostMs - performance.now() : undefined;
      const result = await within(next, wait);
      if (result?.done) break;
      if (result) {
        if (rows.length === 0) since = performance.now();
        rows.push(result.value);
        bytes += result.value.bytes;
      }
      if (!result || rows.length === MOST_ROWS || bytes >= MOST_BYTES) {
        yield rows;
        [rows, bytes] = [[], 0];
      }
      if (result) next = answers.next();
    }
    if (rows.length > 0) yield rows;
  } finally {
    await answers.return(undefined);
  }
}

/** The outcome of a promise, or undefined if it takes longer than a number of ms; no limit if none is given. */
async function within<T>(promise: Promise<T>, ms: number | undefined): Promise<T | undefined> {
  if (ms === undefined) return await promise;
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), Math.max(0, ms));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function indices(first: number, length: number): Data {
  const data = BigInt64Array.from({ length }, (_, at) => BigInt(first + at));
  return makeData({ type: new Int64(), length, nullCount: 0, data });
}

/** Dictionaries are written out: a stream of batches would need a new one each time. */
function carriedField({ name, type, nullable, metadata }: Field): Field {
  return new Field(name, DataType.isDictionary(type) ? type.dictionary : type, nullable, metadata);
}

function carriedData(batch: RecordBatch, { name: prompts }: PromptColumn): Data[] {
  return batch.schema.fields.flatMap(({ name, type }, at) => {
    if (name === prompts) return [];
    const vector = batch.getChildAt(at)!;
    if (!DataType.isDictionary(type)) return [vector.data[0]!];
    return [vectorFromArray([...vector], type.dictionary).data[0]!];
  });
}
