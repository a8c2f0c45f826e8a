import { makeData, Utf8, vectorFromArray } from "apache-arrow";
import { InfoflowError } from "../../errors.ts";
import type { Questions } from "../../engine/analyses/list.ts";
import type { FeaturePart } from "../../requests/sae/feature_questions.ts";
import { type ArrowColumn, float32, int32, lists } from "../arrow/columns.ts";
import { encodeColumns } from "../arrow/encode.ts";
import { type ArrowForm, DEFAULT_FORM } from "../arrow/form.ts";
import type { Token } from "../../tokens/tokenize.ts";
import { aboutPrompt, type AnswerMaker } from "./answer_maker.ts";
import type { LinkArguments } from "./answer.ts";
import { type ChangeArguments, type Changes, changesOf } from "./changes.ts";
import { checkInteger } from "./check_integer.ts";
import { MatrixAnswer } from "./matrix_answer.ts";
import type { Reading } from "./reading.ts";
import { findSae, type Sae } from "./sae.ts";

/** Options of {@linkcode FeatureFlow}. */
export interface FeatureFlowOptions extends ChangeArguments {
  readonly sae: string;
  readonly feature: number;
  /** A position, 0 for BOS; by default all. */
  readonly target?: number | null | undefined;
}

type Result = Questions["featureFlow"]["result"];

/** Of a matrix, in one answer. */
const MOST_BYTES = 256 * 2 ** 20;

/** The tokens that fed a feature, at one target or at all. */
export class FeatureFlow extends MatrixAnswer {
  override readonly field = "featureFlow";
  override readonly axes: readonly string[];
  override readonly shape: readonly number[];
  readonly sae: Sae;
  readonly feature: number;
  readonly targets: readonly number[];
  readonly #target: number | undefined;
  readonly #firstLayer: number;
  readonly #changes: Changes;
  #result: Promise<Result> | undefined;

  /** @throws {InfoflowError} BAD_USER_INPUT if there is no such autoencoder, feature or target; MATRIX_TOO_LARGE. */
  constructor(reading: Reading, options: FeatureFlowOptions) {
    super(reading);
    const { model, tokens } = reading;
    this.#changes = changesOf(reading, options);
    this.sae = findSae(model, options.sae);
    this.feature = checkInteger("feature", options.feature, { min: 0, max: this.sae.features - 1 });
    const max = tokens.length - 1;
    this.#target = options.target === undefined || options.target === null
      ? undefined
      : checkInteger("target", options.target, { min: 0, max });
    this.targets = this.#target === undefined ? [...tokens.keys()] : [this.#target];
    const { site, layer } = this.sae;
    const isZ = site === "Z";
    const { heads } = model.engine.info.architecture;
    this.#firstLayer = site.startsWith("RESID") ? 0 : layer;
    const layers = (site === "RESID_PRE" ? layer : layer + 1) - this.#firstLayer;
    this.axes = [isZ ? "head" : "layer", "target", "source"];
    this.shape = [isZ ? heads : layers, this.targets.length, tokens.length];
    const bytes = this.size * Float32Array.BYTES_PER_ELEMENT;
    if (bytes > MOST_BYTES) {
      throw new InfoflowError(
        "MATRIX_TOO_LARGE",
        `Cannot return a matrix of ${this.shape.join(" x ")} numbers as the limit is ${
          MOST_BYTES.toLocaleString("en")
        } bytes: current value is ${bytes.toLocaleString("en")}; ask for one target`,
        { bytes, limit: MOST_BYTES },
      );
    }
  }

  override get linkArguments(): LinkArguments {
    const { linkArguments } = this.#changes;
    return {
      sae: this.sae.name,
      feature: this.feature,
      target: this.#target,
      ...linkArguments,
    };
  }

  /** The tokens along the axes, BOS first. */
  get tokens(): readonly Token[] {
    return this.reading.tokens;
  }

  /** The parts that come from no other token. */
  async parts(): Promise<readonly FeaturePart[]> {
    return (await this.#compute()).parts;
  }

  /** The pre-activation, at each target. */
  async preActivations(): Promise<Float32Array> {
    return (await this.#compute()).preActivations;
  }

  /** The feature's activation, at each target. */
  async activations(): Promise<Float32Array> {
    return (await this.#compute()).activations;
  }

  override async numbers(): Promise<Float32Array> {
    return (await this.#compute()).matrix;
  }

  override async cacheHit(): Promise<boolean> {
    return (await this.#compute()).cacheHit;
  }

  override async arrow(form: ArrowForm = DEFAULT_FORM): Promise<Uint8Array<ArrayBuffer>> {
    const result = await this.#compute();
    const columns = {
      rows: () => this.#rowsLayout(result),
      tensor: () => this.#tensorLayout(result),
      tidy: () => this.#tidyLayout(result),
    }[form.layout]();
    const metadata = {
      ...this.metadata,
      tokens: this.tokens.map(({ text }) => text),
      ids: this.reading.ids,
      axes: this.axes,
      shape: this.shape,
      targets: this.targets,
      hook: this.sae.hook,
      ...this.linkArguments,
    };
    return encodeColumns(columns, metadata, form.format);
  }

  protected override identity(): LinkArguments {
    return this.linkArguments;
  }

  #compute(): Promise<Result> {
    const { model: { engine }, ids } = this.reading;
    const { ablate, interventions } = this.#changes;
    const asked = {
      ids,
      sae: this.sae.name,
      feature: this.feature,
      target: this.#target,
      ...(ablate && { ablate }),
      ...(interventions && { interventions }),
    };
    return this.#result ??= engine.ask("featureFlow", asked);
  }

  /** A row for each layer or head, and target: what each source adds, and what the target has in all. */
  #rowsLayout({ matrix, preActivations, activations }: Result): ArrowColumn[] {
    const [count, rows, tokens] = this.shape as [number, number, number];
    const each = (values: ArrayLike<number>): Float32Array =>
      Float32Array.from({ length: count * rows }, (_, at) => values[at % rows]!);
    const targets = Int32Array.from({ length: count * rows }, (_, at) => this.targets[at % rows]!);
    return [
      { name: this.axes[0]!, data: int32(this.#places(rows)) },
      { name: "target", data: int32(targets) },
      { name: "token", data: texts(Array.from(targets, (target) => this.tokens[target]!.text)) },
      { name: "pre_activation", data: float32(each(preActivations)) },
      { name: "activation", data: float32(each(activations)) },
      { name: "flow", data: lists(matrix, tokens) },
    ];
  }

  /** A row for each layer or head, with its matrix. */
  #tensorLayout({ matrix }: Result): ArrowColumn[] {
    const [, rows, tokens] = this.shape as [number, number, number];
    const tensor = { shape: [rows, tokens], dim_names: ["target", "source"] };
    return [
      { name: this.axes[0]!, data: int32(this.#places(1)) },
      {
        name: "flow",
        data: lists(matrix, rows * tokens),
        metadata: new Map([
          ["ARROW:extension:name", "arrow.fixed_shape_tensor"],
          ["ARROW:extension:metadata", JSON.stringify(tensor)],
        ]),
      },
    ];
  }

  /**
   * A row for each number of the causal half, of kind ATTENTION, and for each part, whose source is -1, as is the layer or
   * head of what is of none: the weights of a target sum to its pre-activation.
   */
  #tidyLayout({ matrix, parts }: Result): ArrowColumn[] {
    const [count, rows, tokens] = this.shape as [number, number, number];
    const kinds: string[] = [];
    const places: number[] = [];
    const targets: number[] = [];
    const sources: number[] = [];
    const weights: number[] = [];
    const first = this.#places(1);
    const add = (
      kind: string,
      place: number,
      row: number,
      source: number,
      weight: number,
    ): void => {
      kinds.push(kind);
      places.push(place);
      targets.push(this.targets[row]!);
      sources.push(source);
      weights.push(weight);
    };
    for (let n = 0; n < count; n++) {
      for (let row = 0; row < rows; row++) {
        for (let source = 0; source <= this.targets[row]!; source++) {
          const weight = matrix[(n * rows + row) * tokens + source]!;
          add("ATTENTION", first[n]!, row, source, weight);
        }
      }
    }
    for (const { kind, layer, values } of parts) {
      values.forEach((value, row) => add(kind, layer ?? -1, row, -1, value));
    }
    return [
      { name: "kind", data: texts(kinds) },
      { name: this.axes[0]!, data: int32(Int32Array.from(places)) },
      { name: "target", data: int32(Int32Array.from(targets)) },
      { name: "source", data: int32(Int32Array.from(sources)) },
      { name: "weight", data: float32(Float32Array.from(weights)) },
    ];
  }

  /** The layer or head of each row, where each has a given number of rows. */
  #places(rows: number): Int32Array<ArrayBuffer> {
    return Int32Array.from(
      { length: this.shape[0]! * rows },
      (_, at) => this.#firstPlace + Math.floor(at / rows),
    );
  }

  get #firstPlace(): number {
    return this.axes[0] === "head" ? 0 : this.#firstLayer;
  }
}

function texts(values: readonly string[]): ArrowColumn["data"] {
  if (values.length === 0) return makeData({ type: new Utf8(), length: 0, nullCount: 0 });
  return vectorFromArray(values, new Utf8()).data[0]!;
}

/** The answer of the field `featureFlow`. */
export const featureFlow: AnswerMaker = aboutPrompt<FeatureFlowOptions>((reading, options) =>
  new FeatureFlow(reading, options)
);
