import { checkMethodWork } from "../../requests/methods.ts";
import { ablatedIn, methodOf } from "../../requests/flow_options.ts";
import type { Method } from "../../requests/flow_methods.ts";
import { type Measures, needsStreams } from "./methods.ts";
import type { FlowReduction } from "./reduction.ts";
import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { Forward } from "../model/forward.ts";
import type { FlowResult } from "../../requests/flow_options.ts";
import { cancelled, type FlowRequest, isWanted } from "./flow_request.ts";
import type { PassRunner } from "../passes/pass_runner.ts";
import type { PromptStore } from "../passes/prompt_plan.ts";
import type { Settled, Settler } from "../passes/materialize.ts";

/** What flows by other methods are made with. */
interface Parts {
  readonly device: GPUDevice;
  readonly architecture: Architecture;
  readonly runner: PassRunner;
  readonly store: PromptStore;
  readonly settler: Settler;
  readonly measures: Measures;
  readonly reduction: FlowReduction;
  readonly forward: Forward;
}

/** Flows by other methods than attention, and flows with heads switched off. */
export class MeasuredFlows {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /**
   * Computes a flow that is not of attention in the model as it is.
   *
   * @throws {InfoflowError} As `Engine.flow` does, or CANCELLED.
   */
  async compute(request: FlowRequest): Promise<FlowResult> {
    const { architecture, reduction, runner, settler, store } = this.#parts;
    const { ids, options } = request;
    const method = methodOf(options);
    const ablate = ablatedIn(options);
    checkMethodWork(method, architecture, ids.length);
    const settled = await settler.settle(ids, { streams: needsStreams(method), ablate });
    const { entry, cacheHit } = settled;
    try {
      await this.#stopIfUnwanted(request, entry.mean);
      const measured = method === "ATTENTION" ? undefined : await this.#measure(settled, method);
      await this.#stopIfUnwanted(request, entry.mean);
      const job = { entry, tokens: ids.length, options, measured };
      const flows = await store.withRoom(() => reduction.prepare([job]));
      const numbers = await runner.run([], {
        result: [flows],
        fields: flows.fields.map((fields) => ({ ...fields, work: settled })),
        encode: (pass, bound) => reduction.encode(pass, flows, bound),
        isWanted: () => true,
      });
      settled.commit();
      return { ...reduction.split(flows, numbers)[0]!, cacheHit };
    } catch (error) {
      entry.measured.get(method)?.matrix.destroy();
      entry.measured.delete(method);
      settled.abort();
      throw error;
    }
  }

  /** Between the stages of long work: waits for the device, and ends the work if nobody waits for it any more. */
  async #stopIfUnwanted(request: FlowRequest, buffer: GPUBuffer): Promise<void> {
    const { device, runner } = this.#parts;
    if (!runner.isLong(request.ids.length)) return;
    await runner.pause(device.createCommandEncoder({ label: "pause" }), buffer);
    if (!isWanted(request)) throw cancelled();
  }

  /** @returns The matrices of a method, (L, T, T) packed; the device is at work on them, or done. */
  async #measure(
    { ids, entry }: Settled,
    method: Exclude<Method, "ATTENTION">,
  ): Promise<GPUBuffer> {
    const known = entry.measured.get(method);
    const tokens = ids.length;
    if (known && known.tokens >= tokens) return known.matrix;
    const { architecture, device, forward, measures, runner, store } = this.#parts;
    const { stride } = entry;
    runner.prompts.write([{ tokens, stride }]);
    const prompt = { entry, tokens, prompt: runner.prompts.at(0) };
    store.makeRoom(entry.mean.size);
    await store.withRoom(() => forward.reserve(tokens));
    const matrix = await store.withRoom(() => measures.prepare(method, prompt));
    for (let layer = 0; layer < architecture.layers; layer++) {
      const encoder = device.createCommandEncoder({ label: `${method} of layer ${layer}` });
      if (layer === 0) {
        // Deno clears what it believes unwritten before a later submission reads it, and it takes no notice of what was
        // written at an offset given with the dispatch.
        encoder.clearBuffer(matrix);
        forward.bringValues(encoder, entry, ids);
      }
      const pass = encoder.beginComputePass({ label: method });
      measures.encode(pass, method, { ...prompt, matrix, layer });
      pass.end();
      device.queue.submit([encoder.finish()]);
    }
    known?.matrix.destroy();
    entry.measured.set(method, { matrix, tokens });
    return matrix;
  }
}
