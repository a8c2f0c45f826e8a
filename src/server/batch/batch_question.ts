import {
  type Data,
  type Field,
  List,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import { InfoflowError } from "../../errors.ts";
import type { Answer } from "../answers/answer.ts";
import { ANSWERS } from "../answers/list.ts";
import { InfoFlow } from "../answers/info_flow.ts";
import { LONG_TEXT } from "../answers/long_texts.ts";
import type { LoadedModel } from "../answers/loaded_model.ts";
import { pickModel } from "../answers/pick_model.ts";
import { TableAnswer } from "../answers/table_answer.ts";
import { LAYOUT_VERSION } from "../arrow/layout_version.ts";
import {
  type BatchField,
  type BatchLayout,
  LEADING,
  resultFields,
  TRAILING,
} from "./batch_fields.ts";
import { nestedLists, type NumbersRow, structLists } from "./list_data.ts";
import type { RowPrompt } from "./prompt_column.ts";

/** The outcome of a row. */
export interface RowAnswer {
  readonly id: string | null;
  readonly tokens: readonly string[] | null;
  /** The values of the columns of the result, as they are in an answer to this prompt alone; null for an error. */
  readonly matrix: {
    readonly shape: readonly number[];
    readonly flow: Float32Array;
    readonly dropped: Float32Array;
  } | null;
  readonly table: readonly (readonly unknown[])[] | null;
  readonly code: string | null;
  readonly message: string | null;
  /** About how many bytes it takes in Arrow. */
  readonly bytes: number;
  /** How many tokens the model read; 0 for an error. */
  readonly length: number;
}

/** A row that is being answered. */
export interface BegunRow {
  /** About how many bytes the answer will take. */
  readonly bytes: number;
  readonly answer: Promise<RowAnswer>;
}

/** The bytes that an answer is assumed to take if it is a table. */
const TABLE_BYTES = 16 * 1024;

/** Errors that concern one row alone: the next row may succeed. */
const OF_ROWS = [
  "PROMPT_EMPTY",
  "PROMPT_TOO_LONG",
  "BAD_USER_INPUT",
  "MATRIX_TOO_LARGE",
  "DEADLINE_EXCEEDED",
];

/** A question about many prompts: the same options for all, a row for each. */
export class BatchQuestion {
  readonly field: BatchField;
  readonly fields: readonly Field[];
  readonly layout: BatchLayout;
  readonly #models: readonly LoadedModel[];
  readonly #args: Readonly<Record<string, unknown>>;

  /**
   * @param args The arguments of the field, without a prompt.
   * @throws {InfoflowError} BAD_USER_INPUT if there is no such model.
   */
  constructor(
    models: readonly LoadedModel[],
    { field, args, layout }: {
      readonly field: BatchField;
      readonly args: Readonly<Record<string, unknown>>;
      readonly layout: BatchLayout;
    },
  ) {
    this.#models = [pickModel(models, args.model as string | undefined)];
    this.field = field;
    this.layout = layout;
    const { model: _, ...rest } = args;
    this.#args = rest;
    const axes = field === "attention" ? 4 : args.byLayer === true ? 3 : 2;
    const lossEffect = args.lossEffect === true;
    this.fields = [...LEADING, ...resultFields(field, { axes, layout, lossEffect }), ...TRAILING];
  }

  /** The model that is asked. */
  get model(): LoadedModel {
    return this.#models[0]!;
  }

  /** The metadata of the results' schema, under `infoflow`. */
  get metadata(): Readonly<Record<string, unknown>> {
    const { name, engine: { info: { fingerprint } } } = this.model;
    const given = Object.entries(this.#args)
      .filter(([name, value]) =>
        value !== null && value !== undefined && !["prompt", "ids"].includes(name)
      );
    const options = Object.fromEntries(given);
    return { version: LAYOUT_VERSION, model: name, fingerprint, field: this.field, options };
  }

  /** Finds the tokens of a row's text, if it is long: beginning the row then takes no time. */
  async prepare(prompt: RowPrompt): Promise<void> {
    if (prompt === null || !("prompt" in prompt) || prompt.prompt.length < LONG_TEXT) return;
    const { context } = this.model.engine.info.architecture;
    const specialTokens = this.#args.specialTokens === true;
    await this.model.longTexts?.prepare(prompt.prompt, { context, specialTokens });
  }

  /**
   * Begins to answer a row; an error that is the row's own is an answer, too.
   *
   * @param fault Why the row could not be read, if so.
   * @returns About how many bytes the answer will take, which is known at once; and the answer.
   * @throws {InfoflowError} Through the answer, what is no row's fault: DEVICE_LOST, OVERLOADED, CANCELLED.
   */
  begin(prompt: RowPrompt, fault?: string): BegunRow {
    try {
      if (fault !== undefined) throw new InfoflowError("BAD_USER_INPUT", fault);
      if (prompt === null) {
        throw new InfoflowError("PROMPT_EMPTY", "Cannot run a row that has no prompt");
      }
      const args = { ...this.#args, prompt: undefined, ids: undefined, ...prompt };
      const answer = ANSWERS[this.field]!(this.#models, args);
      const bytes = answer instanceof InfoFlow
        ? answer.size * Float32Array.BYTES_PER_ELEMENT
        : TABLE_BYTES;
      return { bytes, answer: this.#compute(answer).catch(rowOf) };
    } catch (error) {
      return { bytes: 0, answer: Promise.reject(error).catch(rowOf) };
    }
  }

  async #compute(answer: Answer): Promise<RowAnswer> {
    const { length } = answer.reading.ids;
    const whole = { id: answer.id, code: null, message: null, length };
    if (answer instanceof InfoFlow) {
      const { flow, dropped } = await answer.compute();
      const tokens = answer.tokens.map(({ text }) => text);
      const bytes = flow.byteLength + dropped.byteLength + 16 * tokens.length;
      const matrix = { shape: answer.shape, flow, dropped };
      return { ...whole, tokens, matrix, table: null, bytes };
    }
    if (!(answer instanceof TableAnswer)) {
      throw new TypeError(`Cannot ask ${this.field} about many prompts`);
    }
    const table = (await answer.table()).map(({ values }) => values);
    const tokens = answer.tokens.map(({ text }) => text);
    const bytes = table.reduce((sum, values) => sum + 8 * values.length, 16 * tokens.length);
    return { ...whole, tokens, matrix: null, table, bytes };
  }

  /** The columns of some rows' answers, in the order of {@linkcode fields}. */
  columns(rows: readonly RowAnswer[]): Data[] {
    return this.fields.map(({ name, type }) => {
      switch (name) {
        case "answer_id":
          return texts(rows.map(({ id }) => id));
        case "tokens":
          return vectorFromArray(rows.map(({ tokens }) => tokens), type as List).data[0]!;
        case "code":
          return texts(rows.map(({ code }) => code));
        case "message":
          return texts(rows.map(({ message }) => message));
        case "shape":
          return vectorFromArray(rows.map(({ matrix }) => matrix?.shape ?? null), type as List)
            .data[0]!;
        case "flow":
          return nestedLists(type, rows.map((row) => this.#numbers(row, "flow")));
        case "dropped":
          return nestedLists(type, rows.map((row) => this.#numbers(row, "dropped")));
        default:
          return structLists(type, rows.map(({ table }) => table));
      }
    });
  }

  #numbers({ matrix }: RowAnswer, name: "flow" | "dropped"): NumbersRow {
    if (!matrix) return null;
    const numbers = matrix[name];
    if (this.layout === "flat") return { shape: [numbers.length], numbers };
    return { shape: name === "flow" ? matrix.shape : matrix.shape.slice(0, -1), numbers };
  }
}

/** The answer of a row with an error. */
function rowOf(error: unknown): RowAnswer {
  if (!(error instanceof InfoflowError) || !OF_ROWS.includes(error.code)) throw error;
  const { code, message } = error;
  const nothing = { id: null, tokens: null, matrix: null, table: null };
  return { ...nothing, code, message, bytes: 100, length: 0 };
}

function texts(values: readonly (string | null)[]): Data {
  return vectorFromArray(values, new Utf8()).data[0]!;
}

/** Puts columns together to a batch. */
export function batchOf(schema: Schema, children: readonly Data[], length: number): RecordBatch {
  const type = new Struct(schema.fields);
  const data = makeData({ type, length, nullCount: 0, children: [...children] });
  return new RecordBatch(schema, data);
}
