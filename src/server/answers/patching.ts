import { InfoflowError } from "../../errors.ts";
import { chosenOf } from "../../requests/choice.ts";
import { firstDifference } from "../../requests/interventions/donor.ts";
import { hasHeads, type Site } from "../../requests/interventions/sites.ts";
import {
  defaultGrid,
  gridAxes,
  type PatchDirection,
  type PatchGrid,
} from "../../requests/patching.ts";
import type { MetricArgument } from "../../requests/patching.ts";
import type { Questions } from "../../engine/analyses/list.ts";
import type { Token } from "../../tokens/tokenize.ts";
import type { AnswerMaker } from "./answer_maker.ts";
import type { LinkArguments } from "./answer.ts";
import { counted, GridAnswer } from "./grid_answer.ts";
import { metricArgument, type MetricOptions } from "./metric_options.ts";
import { read, type Reading, type ReadingArguments } from "./reading.ts";

/** Options of {@linkcode Patching}. */
export interface PatchingOptions extends MetricOptions {
  readonly site: Site;
  /** The finest grid of the site by default. */
  readonly by?: PatchGrid | null | undefined;
  readonly direction: PatchDirection;
  /** Whether 0 is the corrupted run and 1 the clean one. */
  readonly normalize: boolean;
  /** The layers that are patched, by default all. */
  readonly layers?: readonly number[] | null | undefined;
}

type Result = Questions["patching"]["result"];

/** Baselines that are closer than this can't be normalized by. */
const LEAST_SPAN = 1e-3;

/** Activation patching: the metric of runs with one activation replaced by that of another prompt. */
export class Patching extends GridAnswer {
  override readonly field = "patching";
  override readonly axes: readonly string[];
  protected override readonly labels: readonly (readonly number[])[];
  readonly #corrupted: Reading;
  readonly #metric: MetricArgument;
  readonly #options: Pick<PatchingOptions, "site" | "direction" | "normalize"> & {
    readonly by: PatchGrid;
    readonly layers: readonly number[] | undefined;
  };
  #result: Promise<Result> | undefined;

  /**
   * @param reading The clean prompt.
   * @throws {InfoflowError} BAD_USER_INPUT if the prompts are not equally long, or a token, a layer or the grid is not
   *   valid.
   */
  constructor(reading: Reading, corrupted: Reading, options: PatchingOptions) {
    super(reading);
    const { site, direction, normalize } = options;
    checkLengths(reading.ids, corrupted.ids);
    const by = options.by ?? defaultGrid(site);
    const { architecture } = reading.model.engine.info;
    this.axes = gridAxes(by);
    if (this.axes.includes("head") && !hasHeads(site)) {
      throw new InfoflowError(
        "BAD_USER_INPUT",
        `Cannot patch ${site} by ${by} as it has no heads: ask by LAYER_POSITION or LAYER`,
        { site, by },
      );
    }
    const { layers } = chosenOf({ layers: options.layers }, architecture);
    const along = {
      layer: layers,
      head: counted(architecture.heads),
      position: counted(reading.ids.length),
    };
    this.labels = gridAxes(by).map((axis) => along[axis]);
    this.#corrupted = corrupted;
    this.#metric = metricArgument(reading, options);
    const isWhole = layers.length === architecture.layers;
    this.#options = { site, by, direction, normalize, layers: isWhole ? undefined : layers };
  }

  override get linkArguments(): LinkArguments {
    const { prompt: clean, ids: cleanIds } = this.reading.source;
    const { prompt: corrupted, ids: corruptedIds } = this.#corrupted.source;
    const { limit: _, ...metric } = this.#metric;
    return {
      clean,
      cleanIds,
      corrupted,
      corruptedIds,
      ...metric,
      ...(metric.against === metric.answer && { against: undefined }),
      ...this.#options,
    };
  }

  /** The corrupted prompt's tokens, BOS first. */
  get corruptedTokens(): readonly Token[] {
    return this.#corrupted.tokens;
  }

  /** The metric of the unpatched clean prompt. */
  async clean(): Promise<number> {
    return (await this.compute()).clean;
  }

  /** The metric of the unpatched corrupted prompt. */
  async corrupted(): Promise<number> {
    return (await this.compute()).corrupted;
  }

  /** The rows of layers that were computed for the runs: each row of each layer counts. */
  async rowLayers(): Promise<number> {
    return (await this.compute()).rowLayers;
  }

  /**
   * The metric of each cell's run; normalised, 0 is the corrupted run and 1 the clean one.
   *
   * @throws {InfoflowError} BAD_USER_INPUT if the prompts' metrics are too close to be a scale.
   */
  override async numbers(): Promise<Float32Array> {
    const { values, clean, corrupted } = await this.compute();
    if (!this.#options.normalize) return values;
    const span = clean - corrupted;
    if (Math.abs(span) < LEAST_SPAN) {
      throw new InfoflowError(
        "BAD_USER_INPUT",
        `Cannot normalize as the prompts' metrics must lie ${LEAST_SPAN} apart: current values are ${clean} and ` +
          `${corrupted}; ask with normalize: false, or for other tokens`,
        { clean, corrupted, least: LEAST_SPAN },
      );
    }
    // Of float32s, as the values are: a run that nothing moves is 0 to the bit, the other prompt's is 1.
    const [zero, one] = [Math.fround(corrupted), Math.fround(clean)];
    return values.map((value) => (value - zero) / (one - zero));
  }

  override async cacheHit(): Promise<boolean> {
    return (await this.compute()).cacheHit;
  }

  /** The engine's result, which is requested once. */
  compute(): Promise<Result> {
    const { model: { engine }, ids } = this.reading;
    const { site, by, direction, layers } = this.#options;
    return this.#result ??= engine.ask("patching", {
      ids,
      corrupted: this.#corrupted.ids,
      site,
      by,
      direction,
      layers,
      ...this.#metric,
    });
  }

  protected override identity(): LinkArguments {
    const { limit: _, ...metric } = this.#metric;
    return { ...metric, ...this.#options, corruptedIds: this.#corrupted.ids };
  }

  protected override async gridMetadata(): Promise<Readonly<Record<string, unknown>>> {
    const { clean, corrupted } = await this.compute();
    const { prompt, ids, tokens } = this.#corrupted;
    const { metric, answer, against } = this.#metric;
    return {
      ...this.#options,
      metric,
      answer,
      ...(metric === "LOGIT_DIFF" && { against }),
      clean,
      corrupted,
      corruptedPrompt: prompt,
      corruptedIds: ids,
      corruptedTokens: tokens.map(({ text }) => text),
    };
  }
}

function checkLengths(clean: readonly number[], corrupted: readonly number[]): void {
  if (clean.length === corrupted.length) return;
  const at = firstDifference(clean, corrupted);
  throw new InfoflowError(
    "BAD_USER_INPUT",
    `Cannot patch as both prompts must have as many tokens: the clean one has ${clean.length} and the corrupted one ` +
      `${corrupted.length}, and they first differ at position ${at}; use names of one token each`,
    { clean: clean.length, corrupted: corrupted.length, firstDifference: at },
  );
}

type PromptArgument = ReadingArguments["prompt"];
type IdsArgument = ReadingArguments["ids"];

/** The arguments of `patching` that say what is read. */
interface PatchingArguments extends Omit<ReadingArguments, "prompt" | "ids"> {
  readonly clean?: PromptArgument;
  readonly cleanIds?: IdsArgument;
  readonly corrupted?: PromptArgument;
  readonly corruptedIds?: IdsArgument;
}

/** The answer of the field `patching`. */
export const patching: AnswerMaker = (
  models: Parameters<AnswerMaker>[0],
  args: Parameters<AnswerMaker>[1],
): Patching => {
  const { clean, cleanIds, corrupted, corruptedIds, ...rest } = args as PatchingArguments;
  const { model, specialTokens, bos, ...options } = rest;
  const of = (prompt: PromptArgument, ids: IdsArgument): Reading =>
    read(models, { prompt, ids, specialTokens, bos, model });
  const [one, other] = [of(clean, cleanIds), of(corrupted, corruptedIds)];
  return new Patching(one, other, options as unknown as PatchingOptions);
};
