import type { FlowResult } from "../../requests/flow_options.ts";
import type { CacheUse } from "../activations/cache_use.ts";
import type { Passes } from "../passes/passes.ts";
import type { Run } from "../passes/run.ts";
import { withinMemory } from "../passes/within_memory.ts";
import { groupByPrompt, type IndexedRequest, isAnyWanted } from "./flow_request.ts";
import type { FlowReduction } from "./reduction.ts";

/** Flows of attention in the unchanged model. */
export class PlainFlows {
  readonly #passes: Passes;
  readonly #reduction: FlowReduction;
  readonly #countHits: (count: number) => void;

  /** @param parts Among them `countHits`, which counts requests that share a prompt with another one. */
  constructor(parts: {
    readonly passes: Passes;
    readonly reduction: FlowReduction;
    readonly countHits: (count: number) => void;
  }) {
    this.#passes = parts.passes;
    this.#reduction = parts.reduction;
    this.#countHits = parts.countHits;
  }

  /** Computes flows of attention: new prompts in one pass, and everything with one readback. */
  async compute(
    requests: readonly IndexedRequest[],
    cache: CacheUse,
    answer: (index: number, outcome: PromiseSettledResult<FlowResult>) => void,
  ): Promise<void> {
    if (requests.length === 0) return;
    const groups = groupByPrompt(requests);
    const isWanted = (): boolean => isAnyWanted(requests);
    const prompts = groups.map(([request]) => ({ ids: request!.ids }));
    try {
      const flows = await withinMemory(() =>
        this.#passes.run(prompts, { cache, isWanted }, (run) => this.#reduce(run, groups))
      );
      this.#countHits(requests.length - groups.length);
      for (const [index, value] of flows) answer(index, { status: "fulfilled", value });
    } catch (reason) {
      if (groups.length === 1) {
        for (const { index } of requests) answer(index, { status: "rejected", reason });
        return;
      }
      // If one of them fails, the others can still be answered by themselves.
      for (const group of groups) await this.compute(group, cache, answer);
    }
  }

  /** @returns The flow of each request, by its index. */
  async #reduce(
    run: Run,
    groups: readonly (readonly IndexedRequest[])[],
  ): Promise<ReadonlyMap<number, FlowResult>> {
    const reductions = groups.flatMap((group, at) => {
      const prompt = run.prompts[at]!;
      const { ids, activations } = prompt;
      return group.map((request) => ({ ...request, prompt, activations, tokens: ids.length }));
    });
    const flows = await this.#reduction.prepare(reductions);
    const numbers = await run.read({
      result: [flows],
      fields: flows.fields.map((fields) => ({
        ...fields,
        prompt: reductions[fields.reduction]!.prompt,
      })),
      encode: (recorder, bound) => this.#reduction.encode(recorder.pass, flows, bound),
    });
    return new Map(
      this.#reduction.split(flows, numbers).map((matrix, at) => {
        const { index, isRepeated, prompt } = reductions[at]!;
        return [index, { ...matrix, cacheHit: isRepeated || prompt.cacheHit }];
      }),
    );
  }
}
