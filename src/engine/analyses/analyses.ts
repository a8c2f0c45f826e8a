import { isChanged } from "../../requests/interventions/changes_in.ts";
import { type Answered, promptsOf, type Question } from "../../requests/questions.ts";
import type { CacheUse } from "../activations/cache_use.ts";
import type { DeviceContext } from "../flow/device_context.ts";
import { cancelled } from "../passes/cancelled.ts";
import { checkIds } from "../passes/check_ids.ts";
import { withinMemory } from "../passes/within_memory.ts";
import { type Analysis, type QuestionTypes, RunAnalysis } from "./analysis.ts";
import { ANALYSES } from "./list.ts";
import { MetricRuns } from "./patching/metric_runs.ts";
import { TopLogits } from "./top_logits.ts";

/** A question, and whether its caller still waits. */
export interface AskedQuestion {
  readonly question: Question;
  isWanted(): boolean;
}

/** The questions that a model answers, other than those for a matrix of flow, by name. */
export class Analyses {
  readonly #context: DeviceContext;
  readonly #byName: ReadonlyMap<string, Analysis<QuestionTypes>>;

  constructor(context: DeviceContext) {
    this.#context = context;
    const topLogits = new TopLogits(context);
    const parts = { ...context, topLogits, metricRuns: new MetricRuns(context, topLogits) };
    this.#byName = new Map(
      Object.entries(ANALYSES).map(([name, Class]) => [name, new Class(parts)]),
    );
  }

  /**
   * Answers questions. Those of one name about different prompts, in the unchanged model, share one pass.
   *
   * @param cache How the cache is used for the activations that are computed.
   * @returns The outcome of each, in their order; a reason is what {@linkcode Analysis.ask} throws, or a `RangeError`
   *   for ids that are not a prompt of this model's.
   */
  async answer(
    asked: readonly AskedQuestion[],
    cache: CacheUse,
  ): Promise<PromiseSettledResult<Answered>[]> {
    const outcomes: PromiseSettledResult<Answered>[] = [];
    const right: number[] = [];
    for (const [index, one] of asked.entries()) {
      try {
        this.#check(one);
        right.push(index);
      } catch (reason) {
        outcomes[index] = { status: "rejected", reason };
      }
    }
    const isTogether = right.length > 1 && this.#areTogether(right.map((index) => asked[index]!));
    for (const indices of isTogether ? [right] : right.map((index) => [index])) {
      const answers = await this.#inOnePass(indices.map((index) => asked[index]!), cache);
      answers.forEach((outcome, at) => outcomes[indices[at]!] = outcome);
    }
    return outcomes;
  }

  #check({ question, isWanted }: AskedQuestion): void {
    const { architecture } = this.#context;
    for (const ids of promptsOf(question)) checkIds(ids, { fewest: 1, architecture });
    if (!isWanted()) throw cancelled();
  }

  /** Whether questions can share one pass. */
  #areTogether(asked: readonly AskedQuestion[]): boolean {
    const kinds = new Set(
      asked.map(({ question: { name, argument } }) => `${name} ${argument.sae}`),
    );
    const prompts = new Set(asked.map(({ question: { argument } }) => argument.ids.join()));
    const analysis = this.#analysisOf(asked[0]!.question);
    return kinds.size === 1 && analysis instanceof RunAnalysis && analysis.sharesPass &&
      prompts.size === asked.length &&
      asked.every(({ question: { argument } }) => !isChanged(argument));
  }

  /** Answers one question, or several in one pass. */
  async #inOnePass(
    asked: readonly AskedQuestion[],
    cache: CacheUse,
  ): Promise<PromiseSettledResult<Answered>[]> {
    try {
      if (asked.length > 1) return await withinMemory(() => this.#askTogether(asked, cache));
      const [{ question, isWanted }] = asked as [AskedQuestion];
      const analysis = this.#analysisOf(question);
      const value = await withinMemory(() => analysis.ask(question.argument, { cache, isWanted }));
      return [{ status: "fulfilled", value }];
    } catch (reason) {
      if (asked.length === 1) return [{ status: "rejected", reason }];
      // If one of them fails, the others can still be answered by themselves.
      const alone = [];
      for (const one of asked) alone.push(...await this.#inOnePass([one], cache));
      return alone;
    }
  }

  async #askTogether(
    asked: readonly AskedQuestion[],
    cache: CacheUse,
  ): Promise<PromiseSettledResult<Answered>[]> {
    const [{ question }] = asked as [AskedQuestion];
    const analysis = this.#analysisOf(question) as RunAnalysis<QuestionTypes>;
    const prompts = asked.map(({ question: { argument: { ids } } }) => ({ ids }));
    const keep = analysis.keepFor(question.argument, cache);
    const isWanted = (): boolean => asked.some((it) => it.isWanted());
    const { endsAtSites } = analysis;
    const options = { keep, cache, endsAtSites, isWanted };
    return await this.#context.passes.run(prompts, options, async (run) => {
      await run.submit({});
      const outcomes: PromiseSettledResult<Answered>[] = [];
      for (const [at, { question: { argument } }] of asked.entries()) {
        const answer = analysis.answer(run.only(run.prompts[at]!), argument);
        outcomes.push(...await Promise.allSettled([answer]));
      }
      return outcomes;
    });
  }

  #analysisOf({ name }: Question): Analysis<QuestionTypes> {
    const analysis = this.#byName.get(name);
    if (!analysis) throw new TypeError(`Cannot answer ${name} as there is no such question`);
    return analysis;
  }
}
