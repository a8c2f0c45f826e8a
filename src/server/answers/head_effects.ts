import { InfoflowError } from "../../errors.ts";
import type { Action } from "../../requests/interventions/intervention.ts";
import type { MetricArgument } from "../../requests/patching.ts";
import type { Questions } from "../../engine/analyses/list.ts";
import { aboutPrompt, type AnswerMaker } from "./answer_maker.ts";
import type { LinkArguments } from "./answer.ts";
import { counted, GridAnswer } from "./grid_answer.ts";
import { metricArgument, type MetricOptions } from "./metric_options.ts";
import type { Reading } from "./reading.ts";

/** Options of {@linkcode HeadEffects}. */
export interface HeadEffectsOptions extends MetricOptions {
  /** ZERO or MEAN. */
  readonly action: Action;
}

type Result = Questions["headEffects"]["result"];

/** The effect of each head alone on a metric: the metric with the head ablated, minus that of the unchanged model. */
export class HeadEffects extends GridAnswer {
  override readonly field = "headEffects";
  override readonly axes = ["layer", "head"];
  protected override readonly labels: readonly (readonly number[])[];
  readonly #metric: MetricArgument;
  readonly #action: "ZERO" | "MEAN";
  #result: Promise<Result> | undefined;

  /** @throws {InfoflowError} BAD_USER_INPUT if a token is not valid, or the action ablates nothing. */
  constructor(reading: Reading, options: HeadEffectsOptions) {
    super(reading);
    const { layers, heads } = reading.model.engine.info.architecture;
    const { action } = options;
    if (action !== "ZERO" && action !== "MEAN") {
      throw new InfoflowError(
        "BAD_USER_INPUT",
        `Cannot ablate heads as action must be ZERO or MEAN: current value is ${action}`,
        { action },
      );
    }
    this.#action = action;
    this.labels = [counted(layers), counted(heads)];
    this.#metric = metricArgument(reading, options);
  }

  override get linkArguments(): LinkArguments {
    const { metric, answer, against } = this.#metric;
    const other = against === answer ? undefined : against;
    return { answer, against: other, metric, action: this.#action };
  }

  /** The metric of the unchanged model. */
  async baseline(): Promise<number> {
    return (await this.compute()).baseline;
  }

  override async numbers(): Promise<Float32Array> {
    return (await this.compute()).effects;
  }

  override async cacheHit(): Promise<boolean> {
    return (await this.compute()).cacheHit;
  }

  /** The engine's result, which is requested once. */
  compute(): Promise<Result> {
    const { model: { engine }, ids, hasBos } = this.reading;
    const meanFrom = hasBos && ids.length > 1 ? 1 : 0;
    return this.#result ??= engine.ask("headEffects", {
      ids,
      action: this.#action,
      meanFrom,
      ...this.#metric,
    });
  }

  protected override identity(): LinkArguments {
    return this.linkArguments;
  }

  protected override async gridMetadata(): Promise<Readonly<Record<string, unknown>>> {
    return { ...this.linkArguments, baseline: await this.baseline() };
  }
}

/** The answer of the field `headEffects`. */
export const headEffects: AnswerMaker = aboutPrompt<HeadEffectsOptions>((reading, options) =>
  new HeadEffects(reading, options)
);
