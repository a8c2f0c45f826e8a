import { flowSlots, headSlots, type HeadSums } from "../../requests/head_statistics/head_sums.ts";
import { earlierOccurrences } from "../../requests/head_statistics/occurrences.ts";
import { type Answered, splitPrompts } from "../../requests/questions.ts";
import { GrowingBuffer } from "../gpu/growing_buffer.ts";
import type { DeviceResult } from "../gpu/readback.ts";
import { FlowDistances } from "../kernels/flow_distances.ts";
import { HeadStatisticsKernel, TOP } from "../kernels/head_statistics.ts";
import type { PromptFields } from "../kernels/prompt.ts";
import { groupPrompts } from "../passes/group_prompts.ts";
import type { Run, RunPrompt, Stage } from "../passes/run.ts";
import { Analysis, type AnalysisContext, type AskOptions } from "./analysis.ts";

/** Bytes of a sum, and of a weight with its target and source. */
const WIDE = 8;

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
    const all = [{ buffer: sums, bytes: sumBytes }, { buffer: flows, bytes: flowBytes }];
    const groups = groupPrompts(prompts, { tokens: passTokens });
    const topBytes = WIDE * TOP * architecture.layers * architecture.heads;
    const tops = new Uint8Array(prompts.length * topBytes);
    let read = new Uint8Array(0);
    let done = 0;
    for (const [at, group] of groups.entries()) {
      const result = at === groups.length - 1 ? all : [];
      const requests = group.map((ids) => ({ ids }));
      read = await passes.run(
        requests,
        { cache: "look", isWanted },
        (run) => this.#read(run, { sums, flows, topBytes, result }),
      );
      tops.set(read.subarray(0, group.length * topBytes), done * topBytes);
      done += group.length;
    }
    const end = read.slice(groups.at(-1)!.length * topBytes).buffer;
    return {
      sums: new BigUint64Array(end.slice(0, sumBytes)),
      flows: new BigUint64Array(end.slice(sumBytes)),
      tops: tops.buffer,
      cacheHit: false,
    };
  }

  /** Adds the prompts of a run to the sums. @returns Their largest weights, then `result`. */
  async #read(run: Run, { sums, flows, topBytes, result }: {
    readonly sums: GPUBuffer;
    readonly flows: GPUBuffer;
    readonly topBytes: number;
    readonly result: DeviceResult;
  }): Promise<Uint8Array<ArrayBuffer>> {
    const { architecture, device } = this.context;
    const kernel = await HeadStatisticsKernel.create(device, architecture);
    const distances = await FlowDistances.create(device);
    const bytes = run.prompts.length * topBytes;
    const tops = await this.#tops.atLeast(bytes);
    const occurrences = run.prompts.map(({ ids }) => earlierOccurrences(ids));
    const tokens = occurrences.reduce((sum, { length }) => sum + length, 0);
    const earlier = await this.#earlier.atLeast(4 * tokens);
    const fields: (Partial<PromptFields> & { readonly prompt: RunPrompt })[] = [];
    const encoders: Stage["encode"][] = [];
    let row = 0;
    run.prompts.forEach((prompt, slot) => {
      const { activations: { mean, slabs } } = prompt;
      device.queue.writeBuffer(earlier, 4 * row, occurrences[slot]!);
      const field = { prompt, slot, row, layers: architecture.layers };
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
    const numbers = await run.read({
      fields,
      result: [{ buffer: tops, bytes }, ...result],
      encode: (recorder, bound) =>
        encoders.forEach((encode, at) => encode!(recorder, [bound[at]!])),
    });
    return new Uint8Array(numbers.buffer);
  }
}
