import { createHash } from "node:crypto";
import { encodeMatrix } from "../arrow/encode.ts";
import { type ArrowForm, DEFAULT_FORM } from "../arrow/form.ts";
import type { Metadata } from "../arrow/labelled_matrix.ts";
import { LAYOUT_VERSION } from "../arrow/layout_version.ts";
import { InfoflowError } from "../../errors.ts";
import type { FlowResult } from "../../engine/flow/flow_request.ts";
import type { ModelEngine } from "../queue/request_engine.ts";
import { canonical, type Chosen, chosenOf, isNarrowed } from "../../requests/choice.ts";
import {
  type FlowOptions,
  isByHead,
  type MatrixOptions,
  methodOf,
  spanOf,
} from "../../requests/flow_options.ts";
import { checkMethodWork } from "../../requests/methods.ts";
import { flowShape } from "../../requests/matrix_shape.ts";
import { traced } from "../observe/trace.ts";
import { type Token, tokenize } from "../../tokens/tokenize.ts";
import type { Tokenizer } from "../../tokens/tokenizer.ts";

/** Of a matrix, in one answer: 16 heads at 2,048 tokens, 64 at 1,024. */
const MOST_BYTES = 256 * 2 ** 20;

/**
 * The answer to "which tokens feed which?" for one prompt. What it is about is known at once; the numbers are computed
 * when they are first asked for.
 */
export class InfoFlow {
  readonly prompt: string;
  readonly options: MatrixOptions;
  /** The labels of both axes, in order. */
  readonly tokens: readonly Token[];
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  /** How many neighbouring positions share a cell of the matrix. */
  readonly span: number;
  /** A hash of the model, where it runs, the token ids and the options: same id, same bytes. */
  readonly id: string;
  readonly #model: LoadedModel;
  readonly #ids: readonly number[];
  #result: Promise<FlowResult> | undefined;

  /**
   * @throws {InfoflowError} PROMPT_EMPTY; PROMPT_TOO_LONG; BAD_USER_INPUT for a lone surrogate, or for a layer, a head or
   * a number of cells that can't be.
   */
  constructor(model: LoadedModel, prompt: string, options: MatrixOptions) {
    const { architecture, fingerprint, device } = model.engine.info;
    options = canonical(options, architecture);
    model.engine.admit(); // no work for what will be refused
    const tokens = traced(
      "tokenise",
      () => tokenize(prompt, architecture.context, model.tokenizer),
    );
    checkMethodWork(methodOf(options), architecture, tokens.length);
    this.prompt = prompt;
    this.options = options;
    this.#model = model;
    this.#ids = tokens.map(({ id }) => id);
    this.tokens = options.bos === "KEEP"
      ? tokens
      : tokens.slice(1).map((token, index) => ({ ...token, index }));
    const { layers, heads } = architecture;
    const { axes, shape } = flowShape(options, { layers, heads, tokens: tokens.length });
    this.axes = axes;
    this.shape = shape;
    this.span = spanOf(options, tokens.length);
    this.id = createHash("sha256").update(JSON.stringify([
      LAYOUT_VERSION,
      model.name,
      fingerprint,
      device.description,
      this.#ids,
      this.#identity(),
    ])).digest("hex").slice(0, 32);
  }

  /** The layers and heads that take part. */
  get chosen(): Chosen {
    return chosenOf(this.options, this.#model.engine.info.architecture);
  }

  /** The model's name, if a link must say it. */
  get further(): string | undefined {
    return this.#model.isFurther ? this.#model.name : undefined;
  }

  /** How many numbers the matrix has. */
  get size(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }

  /**
   * The numbers; the model runs once, however often they are asked for.
   *
   * @throws {InfoflowError} MATRIX_TOO_LARGE with `bytes` and `limit`; what the engine throws.
   */
  compute(): Promise<FlowResult> {
    const bytes = this.size * Float32Array.BYTES_PER_ELEMENT;
    if (bytes > MOST_BYTES) return Promise.reject(tooLarge(this.shape, bytes));
    return this.#result ??= isComparison(this.options)
      ? this.#difference(this.options)
      : this.#model.engine.flow(this.#ids, this.options);
  }

  /** What switching heads off changes. */
  async #difference({ compare: _, ablate, ...options }: FlowOptions): Promise<FlowResult> {
    const { engine } = this.#model;
    const [changed, plain] = await Promise.all([
      engine.flow(this.#ids, { ...options, ablate }),
      engine.flow(this.#ids, options),
    ]);
    return {
      ...changed,
      flow: changed.flow.map((weight, at) => weight - plain.flow[at]!),
      dropped: changed.dropped.map((weight, at) => weight - plain.dropped[at]!),
      cacheHit: changed.cacheHit && plain.cacheHit,
    };
  }

  /** The answer in Arrow IPC. */
  async arrow(form: ArrowForm = DEFAULT_FORM): Promise<Uint8Array<ArrayBuffer>> {
    const { name, engine } = this.#model;
    const tokens = this.tokens.map(({ text }) => text);
    const matrix = { ...await this.compute(), ...this.chosen, tokens, span: this.span };
    const metadata = {
      version: LAYOUT_VERSION,
      id: this.id,
      model: name,
      fingerprint: engine.info.fingerprint,
      prompt: this.prompt,
      tokens,
      ids: this.tokens.map(({ id }) => id),
      axes: this.axes,
      shape: this.shape,
      ...this.#optionsInMetadata(),
    };
    return traced("arrow", () => encodeMatrix(matrix, metadata, form));
  }

  /** What sets this matrix apart from others of the same tokens. */
  #identity(): unknown[] {
    const { options } = this;
    const choice = isNarrowed(options) ? [options.layers ?? null, options.heads ?? null] : [];
    if (isByHead(options)) return ["attention", options.bos, this.span, ...choice];
    const { byLayer, aggregation, bos, method, ablate, compare } = options;
    const measured = method || ablate || compare ? [{ method, ablate, compare }] : [];
    return [byLayer, aggregation, bos, ...choice, ...measured];
  }

  #optionsInMetadata(): Partial<Metadata> & Pick<Metadata, "bos"> {
    const { options } = this;
    if (isByHead(options)) return { ...this.chosen, bos: options.bos, span: this.span };
    const { aggregation, bos, method, ablate, compare } = options;
    return {
      aggregation,
      bos,
      ...(method && { method }),
      ...(ablate && { ablate }),
      ...(compare && { compare }),
      ...(isNarrowed(options) && this.chosen),
    };
  }
}

function tooLarge(shape: readonly number[], bytes: number): InfoflowError {
  return new InfoflowError(
    "MATRIX_TOO_LARGE",
    `Cannot hand out a matrix of ${shape.join(" x ")} numbers as the limit is ${
      MOST_BYTES.toLocaleString("en")
    } bytes: current value is ${
      bytes.toLocaleString("en")
    }; ask for fewer layers or heads, or for cells`,
    { bytes, limit: MOST_BYTES },
  );
}

function isComparison(options: MatrixOptions): options is FlowOptions {
  return !isByHead(options) && options.compare === true;
}

/** A model by the name that it was asked for, and the engine that runs it. */
export interface LoadedModel {
  readonly name: string;
  /** Whether it is not the one that is asked where nobody names one: links to its answers do. */
  readonly isFurther?: boolean;
  readonly engine: ModelEngine;
  /** How it reads text, where that is not GPT-2's way. */
  readonly tokenizer?: Tokenizer;
}
