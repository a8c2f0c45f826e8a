import { changesIn } from "../../requests/interventions/changes_in.ts";
import type { Answered, QuestionArgument } from "../../requests/questions.ts";
import type { CacheUse } from "../activations/cache_use.ts";
import { residualSites, type SiteOfLayer } from "../activations/kept_sites.ts";
import type { DeviceContext } from "../flow/device_context.ts";
import type { RunRequest } from "../passes/passes.ts";
import type { Run } from "../passes/run.ts";
import type { MetricRuns } from "./patching/metric_runs.ts";
import type { TopLogits } from "./top_logits.ts";

/** The context of analyses: the model on the device, and what several analyses share. */
export interface AnalysisContext extends DeviceContext {
  readonly topLogits: TopLogits;
  readonly metricRuns: MetricRuns;
}

/** The types of a question. */
export interface QuestionTypes {
  readonly argument: QuestionArgument;
  readonly result: Answered;
}

/** Options of an answer. */
export interface AskOptions {
  /** How the cache is used for the activations that are computed. */
  readonly cache: CacheUse;
  /** Whether a caller still waits. */
  isWanted(): boolean;
}

/**
 * Answers one question, for one model. A class `NextTokensAnalysis` in this folder that extends this one answers the
 * question `nextTokens`, whose argument and result are `NextTokensQuestion`; `deno task api` writes the list of them.
 */
export abstract class Analysis<Q extends QuestionTypes> {
  protected readonly context: AnalysisContext;

  constructor(context: AnalysisContext) {
    this.context = context;
  }

  /**
   * Answers the question.
   *
   * @throws {AllocationError} If the device has no room.
   * @throws {InfoflowError} MATRIX_TOO_LARGE if the answer is too long; CANCELLED.
   */
  abstract ask(argument: Q["argument"], options: AskOptions): Promise<Q["result"]>;
}

/** Answers a question from the activations of one run of its prompt. */
export abstract class RunAnalysis<Q extends QuestionTypes> extends Analysis<Q> {
  /** Whether questions about different prompts can share one pass. */
  readonly sharesPass: boolean = false;
  /** Whether no later layer is read than those of the kept sites. */
  readonly endsAtSites: boolean = false;

  /**
   * The sites that are kept of the run, beside patterns, keys and values.
   *
   * @param _cache How the cache is used for them.
   */
  keepFor(_argument: Q["argument"], _cache: CacheUse): readonly SiteOfLayer[] {
    return residualSites(this.context.architecture.layers);
  }

  /** The prompts that are run, with their interventions. */
  protected prompts(argument: Q["argument"]): readonly RunRequest[] {
    const { architecture } = this.context;
    const { ids } = argument;
    return [{ ids, interventions: changesIn(argument, { architecture, ids }) }];
  }

  /** Reads the answer off the run, whose first prompt is the question's. */
  protected abstract read(
    run: Run,
    argument: Q["argument"],
  ): Promise<Omit<Q["result"], "cacheHit">>;

  /** The answer, and whether its prompt was in the cache. */
  async answer(run: Run, argument: Q["argument"]): Promise<Q["result"]> {
    const result = await this.read(run, argument);
    return { ...result, cacheHit: run.prompts[0]!.cacheHit };
  }

  override async ask(
    argument: Q["argument"],
    { cache, isWanted }: AskOptions,
  ): Promise<Q["result"]> {
    const prompts = this.prompts(argument);
    const keep = this.keepFor(argument, cache);
    return await this.context.passes.run(
      prompts,
      { keep, cache, endsAtSites: this.endsAtSites, isWanted },
      (run) => this.answer(run, argument),
    );
  }
}
