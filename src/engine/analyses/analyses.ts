import { scoreCells } from "../../requests/score_cells.ts";
import { type Changed, changesIn, isChanged } from "../../requests/interventions/changes_in.ts";
import {
  type LogProbabilityChange,
  promptsOf,
  type Question,
  type Questions,
  type TopRow,
} from "../../requests/questions.ts";
import type { CacheUse } from "../activations/cache_use.ts";
import { residualSites, type SiteOfLayer } from "../activations/kept_sites.ts";
import type { Run, RunPrompt } from "../passes/run.ts";
import type { RunRequest } from "../passes/passes.ts";
import { LogitParts } from "./attribution.ts";
import type { DeviceContext } from "../flow/device_context.ts";
import { FeatureBatches } from "./feature_batches.ts";
import { FeatureTables } from "./feature_tables.ts";
import { FeatureAnalyses } from "./features.ts";
import { HeadSums } from "./head_scores.ts";
import { HeadStatistics } from "./head_statistics.ts";
import { logitsOf } from "./logits.ts";
import { LossEffects } from "./loss_effects.ts";
import { Patching } from "./patching/patching.ts";
import { Routes } from "./routes.ts";
import { TopLogits } from "./top_logits.ts";

type Result<Name extends keyof Questions> = Omit<Questions[Name]["result"], "cacheHit">;

/** Questions about what a run of one prompt leaves. */
type OfOneRun = Exclude<
  Question,
  {
    readonly name:
      | "patching"
      | "headEffects"
      | "headStatistics"
      | "saeFit"
      | "featureBatch"
      | "featureTables";
  }
>;

type Answer = Questions[keyof Questions]["result"];

/** A question, and whether its caller still waits. */
export interface AskedQuestion {
  readonly question: Question;
  isWanted(): boolean;
}

/** Questions that have one pass for the prompts of several. */
const TOGETHER: readonly Question["name"][] = [
  "nextTokens",
  "headSums",
  "logitLens",
  "attribution",
  "features",
];

/** Whether questions can have one pass: they are of one name, about different prompts, in the model as it is. */
export function areTogether(asked: readonly AskedQuestion[]): boolean {
  const kinds = new Set(
    asked.map(({ question: { name, argument } }) => `${name} ${saeOf(argument)}`),
  );
  const prompts = new Set(asked.map(({ question: { argument } }) => argument.ids.join()));
  return kinds.size === 1 && TOGETHER.includes(asked[0]!.question.name) &&
    prompts.size === asked.length &&
    asked.every(({ question: { argument } }) => !isChanged(argument as Changed));
}

function saeOf(argument: Question["argument"]): string {
  return "sae" in argument ? argument.sae : "";
}

/** Answers questions about a prompt, from its streams and patterns on the device. */
export class Analyses {
  readonly #context: DeviceContext;
  readonly #layers: number;
  readonly #topLogits: TopLogits;
  readonly #logitParts: LogitParts;
  readonly #headSums: HeadSums;
  readonly #headStatistics: HeadStatistics;
  readonly #routes: Routes;
  readonly #patching: Patching;
  readonly #features: FeatureAnalyses;
  readonly #featureBatches: FeatureBatches;
  readonly #featureTables: FeatureTables;
  readonly #lossEffects: LossEffects;

  constructor(context: DeviceContext) {
    this.#context = context;
    this.#layers = context.architecture.layers;
    this.#topLogits = new TopLogits(context);
    this.#logitParts = new LogitParts(context);
    this.#headSums = new HeadSums(context);
    this.#headStatistics = new HeadStatistics(context);
    this.#routes = new Routes(context);
    this.#patching = new Patching(context, this.#topLogits);
    this.#featureBatches = new FeatureBatches(context);
    this.#featureTables = new FeatureTables(context);
    this.#features = new FeatureAnalyses(context, this.#topLogits);
    this.#lossEffects = new LossEffects(context, this.#topLogits);
  }

  /**
   * Answers a question.
   *
   * @param isWanted Whether the caller still waits for it.
   * @param cache How the cache is used for the activations that are computed.
   * @throws {AllocationError} If the device has no room.
   * @throws {InfoflowError} MATRIX_TOO_LARGE if an answer is too long; CANCELLED.
   */
  async ask(
    question: Question,
    isWanted: () => boolean,
    cache: CacheUse,
  ): Promise<Questions[keyof Questions]["result"]> {
    const { name, argument } = question;
    if (name === "patching") {
      return { ...await this.#patching.grid(argument, isWanted), cacheHit: false };
    }
    if (name === "headEffects") {
      return { ...await this.#patching.headEffects(argument, isWanted), cacheHit: false };
    }
    const { ids } = argument;
    if (name === "headStatistics") {
      const options = { passTokens: this.#context.passTokens, isWanted };
      const sums = await this.#headStatistics.of(promptsOf(question), options);
      return { ...sums, cacheHit: false };
    }
    if (name === "featureBatch") {
      const prompts = promptsOf(question);
      const found = await this.#featureBatches.of(prompts, argument.sae, isWanted);
      return { ...found, cacheHit: false };
    }
    if (name === "featureTables") {
      const found = await this.#context.passes.run(
        [{ ids }],
        { cache: "none", isWanted },
        (run) => this.#featureTables.of(run, argument),
      );
      return { ...found, cacheHit: false };
    }
    if (name === "saeFit") return await this.#features.fit(argument, isWanted);
    const { architecture } = this.#context;
    const interventions = changesIn(argument as Changed, { architecture, ids });
    const keep = this.#keepFor(question);
    const prompts: RunRequest[] = [{ ids, interventions }];
    if (name === "tokenChanges" && interventions.length > 0) prompts.push({ ids });
    return await this.#context.passes.run(
      prompts,
      { keep, cache, isWanted },
      (run) => this.#answerOf(question, run),
    );
  }

  /**
   * Answers questions that go together, see {@linkcode areTogether}: their prompts have one pass.
   *
   * @returns The outcome of each, in their order.
   * @throws {AllocationError} If the device has no room for all.
   * @throws {InfoflowError} CANCELLED.
   */
  async askTogether(
    asked: readonly AskedQuestion[],
    cache: CacheUse,
  ): Promise<PromiseSettledResult<Answer>[]> {
    const prompts = asked.map(({ question: { argument: { ids } } }) => ({ ids }));
    const keep = this.#keepFor(asked[0]!.question as OfOneRun);
    const isWanted = (): boolean => asked.some((it) => it.isWanted());
    return await this.#context.passes.run(prompts, { keep, cache, isWanted }, async (run) => {
      await run.submit({});
      const outcomes: PromiseSettledResult<Answer>[] = [];
      for (const [at, { question }] of asked.entries()) {
        const answer = this.#answerOf(question as OfOneRun, run.only(run.prompts[at]!));
        outcomes.push(...await Promise.allSettled([answer]));
      }
      return outcomes;
    });
  }

  /** Which sites of the run a question needs, beside patterns, keys and values. */
  #keepFor({ name, argument }: OfOneRun): readonly SiteOfLayer[] {
    switch (name) {
      case "headSums":
        return [];
      case "features":
      case "featureFlow":
        return this.#features.keepFor(name, argument);
      case "lossEffects":
        return [...this.#features.keepFor(name, argument), ...this.#lossEffects.keep];
      default:
        return residualSites(this.#layers);
    }
  }

  async #answerOf(question: OfOneRun, run: Run): Promise<Answer> {
    const result = await this.#answer(question, run);
    const { cacheHit } = run.prompts[0]!;
    return { ...result, cacheHit } as Answer;
  }

  async #answer(question: OfOneRun, run: Run): Promise<Result<keyof Questions>> {
    const prompt = run.prompts[0]!;
    switch (question.name) {
      case "nextTokens": {
        const { k, position, tokens = [] } = question.argument;
        const top = await this.#next(run, prompt, { k, position });
        if (tokens.length === 0) return { top, logits: [] };
        return { top, logits: await logitsOf(this.#context, run, { prompt, tokens, position }) };
      }
      case "tokenChanges":
        return { changes: await this.#changes(run, question.argument.k) };
      case "logitLens": {
        const layers = Array.from({ length: this.#layers + 1 }, (_, layer) => layer);
        const { ids, k, positions = ids.map((_, position) => position) } = question.argument;
        return { tops: await this.#topLogits.of(run, { prompt, layers, positions }, k) };
      }
      case "attribution": {
        const { against, position, interventions = [] } = question.argument;
        const token = question.argument.token ??
          (await this.#next(run, prompt, { k: 1, position })).ids[0]!;
        const of = { token, against, position, interventions };
        return { token, parts: await this.#logitParts.of(run, of) };
      }
      case "headSums":
        return {
          sums: await this.#headSums.of(
            run,
            scoreCells(question.argument.ids, question.argument.hasBos),
          ),
        };
      case "routes":
        return await this.#routes.to(run, question.argument);
      case "features":
        return await this.#features.features(run, question.argument);
      case "featureFlow":
        return await this.#features.flow(run, question.argument);
      case "lossEffects":
        return { effects: await this.#lossEffects.of(run, question.argument) };
    }
  }

  async #changes(run: Run, k: number): Promise<LogProbabilityChange[]> {
    const [changed, plain = changed] = run.prompts;
    const after = await this.#next(run, changed!, { k });
    const before = await this.#next(run, plain!, { k });
    const tokens = [...new Set([...before.ids, ...after.ids])];
    const logitsAfter = await logitsOf(this.#context, run, { prompt: changed!, tokens });
    const logitsBefore = await logitsOf(this.#context, run, { prompt: plain!, tokens });
    return tokens.map((id, at) => ({
      id,
      before: logitsBefore[at]! - before.total,
      after: logitsAfter[at]! - after.total,
    }));
  }

  async #next(
    run: Run,
    prompt: RunPrompt,
    { k, position = prompt.ids.length - 1 }: {
      readonly k: number;
      readonly position?: number | undefined;
    },
  ): Promise<TopRow> {
    const place = { prompt, layers: [this.#layers], positions: [position] };
    return (await this.#topLogits.of(run, place, k))[0]!;
  }
}
