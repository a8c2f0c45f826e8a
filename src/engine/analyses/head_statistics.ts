import { flowSlots, headSlots, type HeadSums } from "../../requests/head_statistics/head_sums.ts";
import { earlierOccurrences } from "../../requests/head_statistics/occurrences.ts";
import { type Answered, splitPrompts } from "../../requests/questions.ts";
import { GrowingBuffer } from "../gpu/growing_buffer.ts";
import { FlowDistances } from "../kernels/flow_distances.ts";
import { HeadStatisticsKernel, TOP } from "../kernels/head_statistics.ts";
import type { PromptFields } from "../kernels/prompt.ts";
import { groupPrompts } from "../passes/group_prompts.ts";
import type { Run, RunPrompt, Stage } from "../passes/run.ts";
import { Analysis, type AnalysisContext, type AskOptions } from "./analysis.ts";

/** Bytes of a sum, and of a weight with its target and source. */
const WIDE = 8;
/** Passes that are submitted until the device is waited for. */
const AHEAD = 4;

/** Sums over all targets of several prompts, whose ids are concatenated. A prompt given twice counts twice. */
export interface HeadStatisticsQuestion {
  readonly argument: { readonly ids: readonly number[]; readonly lengths: readonly number[] };
  readonly result: Answered & HeadSums;
}

/** Sums statistics of heads over many prompts, several in each pass. None is kept in the cache. */
export class HeadStatisticsAnalysis extends Analysis<HeadStatisticsQuestion> {
  readonly #sums: GrowingBuffer;
  readonly #flows: GrowingBuffer;
  readonly #tops: GrowingBuffer;
  readonly #earlier: GrowingBuffer;

  constructor(context: AnalysisContext) {
    super(context);
    const { device } = context;
    this.#sums = new GrowingBuffer(device, "sums of heads");
    this.#flows = new GrowingBuffer(device, "sums of flows");
    this.#tops = new GrowingBuffer(device, "largest weights");
    this.#earlier = new GrowingBuffer(device, "earlier occurrences");
  }

  override async ask(
    argument: HeadStatisticsQuestion["argument"],
    { isWanted }: Pick<AskOptions, "isWanted">,
  ): Promise<HeadStatisticsQuestion["result"]> {
    const { architecture, device, passes, passTokens } = this.context;
    const prompts = splitPrompts(argument);
    const sumBytes = WIDE * headSlots(architecture);
    const flowBytes = WIDE * flowSlots(architecture);
    const sums = await this.#sums.atLeast(sumBytes);
    const flows = await this.#flows.atLeast(flowBytes);
    device.queue.writeBuffer(sums, 0, new Uint8Array(sumBytes));
    device.queue.writeBuffer(flows, 0, new Uint8Array(flowBytes));
    const groups = groupPrompts(prompts, { tokens: passTokens });
    const topBytes = prompts.length * WIDE * TOP * architecture.layers * architecture.heads;
    const tops = await this.#tops.atLeast(topBytes);
    const all = [
      { buffer: sums, bytes: sumBytes },
      { buffer: flows, bytes: flowBytes },
      { buffer: tops, bytes: topBytes },
    ];
    let read = new ArrayBuffer(0);
    let done = 0;
    for (const [at, group] of groups.entries()) {
      const isLast = at === groups.length - 1;
      // The device works while the next passes are recorded, but is not left behind by many.
      const result = isLast ? all : at % AHEAD === AHEAD - 1 ? [{ buffer: sums, bytes: WIDE }] : [];
      const requests = group.map((ids) => ({ ids }));
      read = await passes.run(requests, { cache: "look", isWanted }, async (run) => {
        const stage = await this.#stage(run, { sums, flows, tops, done });
        if (result.length > 0) return (await run.read({ ...stage, result })).buffer;
        await run.submit(stage);
        return read;
      });
      done += group.length;
    }
    return {
      sums: new BigUint64Array(read.slice(0, sumBytes)),
      flows: new BigUint64Array(read.slice(sumBytes, sumBytes + flowBytes)),
      tops: read.slice(sumBytes + flowBytes),
      cacheHit: false,
    };
  }

  /** Adds the prompts of a run to the sums; `done` prompts were before them. */
  async #stage(run: Run, { sums, flows, tops, done }: {
    readonly sums: GPUBuffer;
    readonly flows: GPUBuffer;
    readonly tops: GPUBuffer;
    readonly done: number;
  }): Promise<Stage> {
    const { architecture, device } = this.context;
    const kernel = await HeadStatisticsKernel.create(device, architecture);
    const distances = await FlowDistances.create(device);
    const occurrences = run.prompts.map(({ ids }) => earlierOccurrences(ids));
    const tokens = occurrences.reduce((sum, { length }) => sum + length, 0);
    const earlier = await this.#earlier.atLeast(4 * tokens);
    const fields: (Partial<PromptFields> & { readonly prompt: RunPrompt })[] = [];
    const encoders: Stage["encode"][] = [];
    let row = 0;
    run.prompts.forEach((prompt, at) => {
      const { activations: { mean, slabs } } = prompt;
      device.queue.writeBuffer(earlier, 4 * row, occurrences[at]!);
      const field = { prompt, slot: done + at, row, layers: architecture.layers };
      for (const { buffer: patterns, firstLayer, layers } of slabs) {
        const group = kernel.bind({ patterns, cells: patterns, earlier, totals: sums, tops });
        const size = { heads: architecture.heads, layers };
        fields.push({ ...field, result: firstLayer });
        encoders.push(({ pass }, [bound]) => kernel.dispatch(pass, [[group], bound!], size));
      }
      const group = distances.bind({ mean, sums: flows });
      fields.push(field);
      encoders.push(({ pass }, [bound]) =>
        distances.dispatch(pass, [[group], bound!], architecture)
      );
      row += prompt.ids.length;
    });
    return {
      fields,
      encode: (recorder, bound) =>
        encoders.forEach((encode, at) => encode!(recorder, [bound[at]!])),
    };
  }
}
