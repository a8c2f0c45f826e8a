import { createHash } from "node:crypto";
import { encodeFlowRows } from "./arrow/flow_rows.ts";
import type { FlowResult } from "./engine/engine.ts";
import type { ModelEngine } from "./engine/request_engine.ts";
import { type FlowOptions, flowShape } from "./flow/definitions.ts";
import { type Token, tokenize } from "./tokens/tokenize.ts";

/** Of the Arrow layout and its metadata. */
const LAYOUT_VERSION = 1;

/**
 * The answer to "which tokens feed which?" for one prompt. What it is about is known at once; the numbers are computed
 * when they are first asked for.
 */
export class InfoFlow {
  readonly prompt: string;
  readonly options: FlowOptions;
  /** The labels of both axes, in order. */
  readonly tokens: readonly Token[];
  readonly axes: readonly string[];
  readonly shape: readonly number[];
  /** A hash of the model, where it runs, the token ids and the options: same id, same bytes. */
  readonly id: string;
  readonly #model: LoadedModel;
  readonly #ids: readonly number[];
  #result: Promise<FlowResult> | undefined;

  constructor(model: LoadedModel, prompt: string, options: FlowOptions) {
    const { architecture, fingerprint, device } = model.engine.info;
    const tokens = tokenize(prompt, architecture.context);
    this.prompt = prompt;
    this.options = options;
    this.#model = model;
    this.#ids = tokens.map(({ id }) => id);
    this.tokens = options.bos === "KEEP"
      ? tokens
      : tokens.slice(1).map((token, index) => ({ ...token, index }));
    const { axes, shape } = flowShape(options, {
      layers: architecture.layers,
      tokens: tokens.length,
    });
    this.axes = axes;
    this.shape = shape;
    const { byLayer, aggregation, bos } = options;
    this.id = createHash("sha256").update(JSON.stringify([
      LAYOUT_VERSION,
      model.name,
      fingerprint,
      device.description,
      this.#ids,
      [byLayer, aggregation, bos],
    ])).digest("hex").slice(0, 32);
  }

  /** How many numbers the matrix has. */
  get size(): number {
    return this.shape.reduce((product, size) => product * size, 1);
  }

  /** The numbers; the model runs once, however often they are asked for. */
  compute(): Promise<FlowResult> {
    return this.#result ??= this.#model.engine.flow(this.#ids, this.options);
  }

  /** The Arrow IPC stream of the answer. */
  async arrow(): Promise<Uint8Array> {
    const { name, engine } = this.#model;
    return encodeFlowRows(await this.compute(), {
      version: LAYOUT_VERSION,
      id: this.id,
      model: name,
      fingerprint: engine.info.fingerprint,
      prompt: this.prompt,
      tokens: this.tokens.map(({ text }) => text),
      axes: this.axes,
      shape: this.shape,
      aggregation: this.options.aggregation,
      bos: this.options.bos,
    });
  }
}

/** A model by the name that it was asked for, and the engine that runs it. */
export interface LoadedModel {
  readonly name: string;
  readonly engine: ModelEngine;
}
