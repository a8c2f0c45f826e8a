import { copyInPieces } from "../helper/copy_in_pieces.ts";
import { encodeMatrix } from "../arrow/encode.ts";
import { type ArrowForm, DEFAULT_FORM } from "../arrow/form.ts";
import type { Metadata } from "../arrow/labelled_matrix.ts";
import { InfoflowError } from "../../errors.ts";
import { canonical, type Chosen, chosenOf, isNarrowed } from "../../requests/choice.ts";
import {
  type AttentionOptions,
  type FlowOptions,
  type FlowResult,
  type Head,
  type Heads,
  isByHead,
  keptFrom,
  type MatrixOptions,
  methodOf,
  spanOf,
} from "../../requests/flow_options.ts";
import { checkMethodWork } from "../../requests/methods.ts";
import { flowShape } from "../../requests/matrix_shape.ts";
import { traced } from "../observe/trace.ts";
import type { Token } from "../../tokens/tokenize.ts";
import { ablatedHeads } from "../../requests/interventions/ablated_heads.ts";
import { aboutPrompt, type AnswerMaker } from "./answer_maker.ts";
import type { LinkArguments } from "./answer.ts";
import { type ChangeArguments, changesOf } from "./changes.ts";
import { MatrixAnswer } from "./matrix_answer.ts";
import type { Reading } from "./reading.ts";

/** The most bytes of a matrix in one answer: 16 heads at 2,048 tokens, 64 at 1,024. */
const MOST_BYTES = 256 * 2 ** 20;

/** Options of a matrix, with interventions as in `schema.graphql`. */
export type RequestedMatrix =
  & (
    | Omit<FlowOptions, "interventions"> & ChangeArguments
    | Omit<AttentionOptions, "interventions" | "targets"> & ChangeArguments
  )
  & {
    /** The rows to return; negative ones count from the end. */
    readonly targets?: readonly number[] | null | undefined;
  };

/** A matrix of more numbers is encoded in the helper thread; this many take a few ms. */
const MOST_ENCODED = 2 ** 18;

/** The answer to "which tokens feed which?" for one prompt: a flow of information, or attention patterns by head. */
export class InfoFlow extends MatrixAnswer {
  readonly options: MatrixOptions;
  /** The labels of both axes, in order. */
  readonly tokens: readonly Token[];
  override readonly axes: readonly string[];
  override readonly shape: readonly number[];
  /** How many neighbouring positions share a cell of the matrix. */
  readonly span: number;
  /** The returned rows, in ascending order, if they were chosen. */
  readonly targets: readonly number[] | undefined;
  readonly #rows: readonly number[];
  /** The same options for the engine, which leaves out the first token if that is BOS, and ablated heads. */
  #asked: MatrixOptions;
  /** Interventions as in the request. */
  readonly #interventions: unknown;
  #result: Promise<FlowResult> | undefined;

  /**
   * @throws {InfoflowError} BAD_USER_INPUT for a layer, a head or a number of cells that is not valid;
   *   MATRIX_TOO_LARGE.
   */
  constructor(reading: Reading, asked: RequestedMatrix) {
    super(reading);
    const { model: { engine: { info: { architecture } } }, tokens, hasBos } = reading;
    const { targets: askedTargets, ...others } = asked;
    const { interventions, linkArguments } = changesOf(reading, others);
    const options = canonical<MatrixOptions>({ ...others, interventions }, architecture);
    checkMethodWork(methodOf(options), architecture, tokens.length);
    this.options = options;
    this.#interventions = linkArguments["interventions"];
    const leftOut = leftOutOf(options, architecture);
    this.#asked = { ...options, ...(leftOut && { leftOut }), ...(!hasBos && { bos: "KEEP" }) };
    const kept = keptFrom(this.#asked);
    if (tokens.length === kept) throw onlyBos();
    this.tokens = kept === 0
      ? tokens
      : tokens.slice(kept).map((token, index) => ({ ...token, index }));
    const { layers, heads } = architecture;
    const { axes, shape } = flowShape(this.#asked, { layers, heads, tokens: tokens.length });
    this.span = spanOf(this.#asked, tokens.length);
    const cells = shape.at(-1)!;
    this.targets = askedTargets ? rowsOf(askedTargets, cells, this.span) : undefined;
    this.#rows = this.targets ?? Array.from({ length: cells }, (_, row) => row);
    this.axes = axes;
    this.shape = shape.with(-2, this.#rows.length);
    // For attention, only these are read from the device; flows are small enough to be cut here.
    if (isByHead(this.#asked) && this.targets) {
      this.#asked = { ...this.#asked, targets: this.targets };
    }
  }

  override get field(): string {
    return isByHead(this.options) ? "attention" : "infoFlow";
  }

  override get linkArguments(): LinkArguments {
    const options = isByHead(this.options) ? withoutHead(this.options) : this.options;
    return { ...options, targets: this.targets, interventions: this.#interventions };
  }

  /** The chosen layers and heads. */
  get chosen(): Chosen {
    return chosenOf(this.options, this.reading.model.engine.info.architecture);
  }

  /**
   * The numbers. They are computed once.
   *
   * @throws {InfoflowError} MATRIX_TOO_LARGE with `bytes` and `limit`; what the engine throws.
   */
  compute(): Promise<FlowResult> {
    const bytes = this.size * Float32Array.BYTES_PER_ELEMENT;
    if (bytes > MOST_BYTES) return Promise.reject(tooLarge(this.shape, bytes));
    const { model: { engine }, ids } = this.reading;
    return this.#result ??= isDifference(this.#asked)
      ? this.#difference(this.#asked).then((result) => this.#cut(result))
      : engine.flow(ids, this.#asked).then((result) => this.#cut(result));
  }

  /** Cuts the requested rows out of whole matrices. */
  #cut(result: FlowResult): FlowResult {
    const { targets } = this;
    if (!targets || isByHead(this.#asked)) return result;
    const cells = result.shape.at(-1)!;
    const matrices = result.flow.length / cells ** 2;
    const flow = new Float32Array(matrices * targets.length * cells);
    const dropped = new Float32Array(matrices * targets.length);
    for (let to = 0; to < dropped.length; to++) {
      const row = Math.floor(to / targets.length) * cells + targets[to % targets.length]!;
      flow.set(result.flow.subarray(row * cells, (row + 1) * cells), to * cells);
      dropped[to] = result.dropped[row]!;
    }
    return { ...result, flow, dropped, shape: this.shape };
  }

  override along(axis: string, index: number): number {
    const { layers, heads } = this.chosen;
    switch (axis) {
      case "layer":
        return layers[index]!;
      case "head":
        return heads[index]!;
      case "target":
        return this.#rows[index]! * this.span;
      default:
        return index * this.span;
    }
  }

  /** The effect of the run's changes on this flow. */
  async #difference({ difference: _, ...options }: FlowOptions): Promise<FlowResult> {
    const { model: { engine }, ids } = this.reading;
    const [changed, plain] = await Promise.all([
      engine.flow(ids, options),
      engine.flow(ids, {
        ...options,
        ablate: undefined,
        interventions: undefined,
        leftOut: undefined,
      }),
    ]);
    return {
      ...changed,
      flow: changed.flow.map((weight, at) => weight - plain.flow[at]!),
      dropped: changed.dropped.map((weight, at) => weight - plain.dropped[at]!),
      cacheHit: changed.cacheHit && plain.cacheHit,
    };
  }

  override async numbers(): Promise<Float32Array> {
    return (await this.compute()).flow;
  }

  override async cacheHit(): Promise<boolean> {
    return (await this.compute()).cacheHit;
  }

  override async arrow(form: ArrowForm = DEFAULT_FORM): Promise<Uint8Array<ArrayBuffer>> {
    const tokens = this.tokens.map(({ text }) => text);
    const { span, chosen } = this;
    const matrix = { ...await this.compute(), ...chosen, tokens, span, targets: this.#rows };
    const metadata = {
      ...this.metadata,
      tokens,
      ids: this.tokens.map(({ id }) => id),
      axes: this.axes,
      shape: this.shape,
      ...this.#optionsInMetadata(),
    };
    const { helper } = this.reading.model;
    return await traced("arrow", async () => {
      if (!helper || this.size <= MOST_ENCODED) return encodeMatrix(matrix, metadata, form);
      const flow = await copyInPieces(matrix.flow);
      const dropped = await copyInPieces(matrix.dropped); // part of the same buffer
      return await helper.ask(
        "arrow",
        { matrix: { ...matrix, flow, dropped }, metadata, form },
        [flow.buffer, dropped.buffer],
      );
    });
  }

  protected override identity(): LinkArguments {
    return { ...this.options, targets: this.targets, cells: undefined, span: this.span };
  }

  #optionsInMetadata(): Partial<Metadata> & Pick<Metadata, "bos"> {
    const { options } = this;
    const { interventions } = options;
    const changes = {
      ...(interventions && { interventions }),
      ...(this.targets && { targets: this.targets }),
    };
    if (isByHead(options)) {
      return { ...this.chosen, bos: options.bos, span: this.span, ...changes };
    }
    const { aggregation, bos, method, ablate, difference } = options;
    return {
      ...changes,
      aggregation,
      bos,
      ...(method && { method }),
      ...(ablate && { ablate }),
      ...(difference && { difference }),
      ...(isNarrowed(options) && this.chosen),
      ...(this.span > 1 && { span: this.span }),
    };
  }
}

/**
 * The rows of the given targets, in ascending order, each once.
 *
 * @throws {InfoflowError} BAD_USER_INPUT if there is no such row, or positions share cells.
 */
function rowsOf(targets: readonly number[], cells: number, span: number): readonly number[] {
  const bad = (rule: string, value: unknown): InfoflowError =>
    new InfoflowError(
      "BAD_USER_INPUT",
      `Cannot choose targets as ${rule}: current value is ${value}`,
      { min: -cells, max: cells - 1 },
    );
  if (span > 1) throw bad("positions must not share cells: leave cells out", `cells of ${span}`);
  if (targets.length === 0) throw bad("there must be one", "none");
  const wrong = targets.find((it) => !Number.isInteger(it) || it < -cells || it >= cells);
  if (wrong !== undefined) throw bad(`they must be ${-cells} to ${cells - 1}`, wrong);
  const rows = targets.map((target) => target < 0 ? target + cells : target);
  return [...new Set(rows)].sort((a, b) => a - b);
}

function onlyBos(): InfoflowError {
  return new InfoflowError(
    "BAD_USER_INPUT",
    "Cannot leave BOS out as nothing else is there: ask with bos KEEP",
  );
}

function tooLarge(shape: readonly number[], bytes: number): InfoflowError {
  return new InfoflowError(
    "MATRIX_TOO_LARGE",
    `Cannot return a matrix of ${shape.join(" x ")} numbers as the limit is ${
      MOST_BYTES.toLocaleString("en")
    } bytes: current value is ${
      bytes.toLocaleString("en")
    }; ask for fewer layers or heads, or for cells`,
    { bytes, limit: MOST_BYTES },
  );
}

function isDifference(options: MatrixOptions): options is FlowOptions {
  return !isByHead(options) && options.difference === true;
}

/** An ablated head is left out of the mean over heads. */
function leftOutOf(options: MatrixOptions, model: Heads): readonly Head[] | undefined {
  if (isByHead(options) || methodOf(options) !== "ATTENTION") return undefined;
  const heads = ablatedHeads(options, model);
  return heads.length > 0 ? heads : undefined;
}

function withoutHead({ byHead: _, ...options }: AttentionOptions): LinkArguments {
  return options;
}

/** The arguments of `attention`. */
type AttentionArguments = Omit<AttentionOptions, "byHead" | "interventions"> & ChangeArguments;

/** The answer of the field `attention`. */
export const attention: AnswerMaker = aboutPrompt<AttentionArguments>((reading, options) =>
  new InfoFlow(reading, { ...options, byHead: true })
);
