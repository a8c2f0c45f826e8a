import type { Method } from "../../requests/flow_methods.ts";
import { type FlowResult, methodOf } from "../../requests/flow_options.ts";
import { changesIn } from "../../requests/interventions/changes_in.ts";
import { checkMethodWork } from "../../requests/methods.ts";
import type { CacheUse } from "../activations/cache_use.ts";
import { residualSites } from "../activations/kept_sites.ts";
import type { DeviceContext } from "./device_context.ts";
import type { Run } from "../passes/run.ts";
import { type FlowRequest, isWanted } from "./flow_request.ts";
import { sitesOf } from "./flow_methods.ts";
import type { FlowReduction } from "./reduction.ts";

/** Flows by the methods other than attention, and flows of changed runs. */
export class MethodFlows {
  readonly #context: DeviceContext;
  readonly #reduction: FlowReduction;

  constructor(context: DeviceContext, reduction: FlowReduction) {
    this.#context = context;
    this.#reduction = reduction;
  }

  /**
   * Computes a flow by another method than attention, or of a changed run.
   *
   * @param cache How the cache is used for the activations that are computed.
   * @throws As `Engine.flow` does; CANCELLED.
   */
  async compute(request: FlowRequest, cache: CacheUse): Promise<FlowResult> {
    const { architecture, passes } = this.#context;
    const { ids, options } = request;
    const method = methodOf(options);
    checkMethodWork(method, architecture, ids.length);
    const interventions = changesIn(options, { architecture, ids });
    // The next question about a changed run is usually about its predictions, which need the residual stream.
    const keep = interventions.length > 0
      ? residualSites(architecture.layers)
      : sitesOf(method, architecture.layers);
    const wanted = { keep, cache, isWanted: () => isWanted(request) };
    return await passes.run([{ ids, interventions }], wanted, async (run) => {
      const prompt = run.prompts[0]!;
      const { activations, cacheHit } = prompt;
      const measured = method === "ATTENTION" ? undefined : await this.#measure(run, method);
      const reduction = { activations, tokens: ids.length, options, measured };
      const flows = await this.#reduction.prepare([reduction]);
      const numbers = await run.read({
        result: [flows],
        fields: flows.fields.map((fields) => ({ ...fields, prompt })),
        encode: (recorder, bound) => this.#reduction.encode(recorder.pass, flows, bound),
      });
      return { ...this.#reduction.split(flows, numbers)[0]!, cacheHit };
    });
  }

  /** @returns The matrices of a method, (L, T, T) packed; the device is at work on them, or done. */
  async #measure(run: Run, method: Exclude<Method, "ATTENTION">): Promise<GPUBuffer> {
    const prompt = run.prompts[0]!;
    const { ids, activations } = prompt;
    const known = activations.measured.get(method);
    const tokens = ids.length;
    if (known && known.tokens >= tokens) return known.matrix;
    const { architecture, forward, makeRoom, methods } = this.#context;
    makeRoom(activations.mean.size);
    await forward.reserve(tokens);
    const matrix = await methods.prepare(method, { activations, tokens });
    try {
      for (let layer = 0; layer < architecture.layers; layer++) {
        await run.submit({
          fields: [{ prompt }],
          encode: (recorder, [bound]) => {
            if (layer === 0) {
              // Deno clears memory that it believes unwritten before a later submission reads it, and does not notice
              // writes at a dynamic offset.
              recorder.encoder.clearBuffer(matrix);
              forward.bringValues(recorder.encoder, prompt);
            }
            const measured = { activations, tokens, prompt: bound!, matrix, layer };
            methods.encode(recorder.pass, method, measured);
          },
        });
      }
    } catch (error) {
      matrix.destroy(); // the matrix of fewer tokens stays
      throw error;
    }
    known?.matrix.destroy();
    activations.measured.set(method, { matrix, tokens });
    return matrix;
  }
}
