import type { PromptStore } from "../passes/prompt_plan.ts";
import type { Settled } from "../passes/materialize.ts";
import type { Measures } from "../flow/methods.ts";
import type { Gpu } from "../gpu/device.ts";
import type { BoundGroup } from "../gpu/kernel.ts";
import { PromptUniform } from "../kernels/prompt.ts";
import type { Readback } from "../gpu/readback.ts";
import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { Forward } from "../model/forward.ts";
import type { OutputMatrices } from "../model/output_matrices.ts";
import type { Weights } from "../model/weights.ts";

/** What a workbench is made from. */
export interface WorkbenchParts {
  readonly gpu: Gpu;
  readonly architecture: Architecture;
  readonly weights: Weights;
  readonly forward: Forward;
  readonly store: PromptStore;
  readonly measures: Measures;
  readonly outputMatrices: () => Promise<OutputMatrices>;
  readonly readback: Readback;
}

/** What all questions are answered with: the device, the model on it, and a way of reading results. */
export class Workbench {
  readonly device: GPUDevice;
  readonly architecture: Architecture;
  readonly weights: Weights;
  readonly forward: Forward;
  readonly store: PromptStore;
  readonly measures: Measures;
  /** Makes, once, the matrices that heads write with. */
  readonly outputMatrices: () => Promise<OutputMatrices>;
  readonly #gpu: Gpu;
  readonly #readback: Readback;
  readonly #prompt: PromptUniform;

  constructor(parts: WorkbenchParts) {
    this.device = parts.gpu.device;
    this.architecture = parts.architecture;
    this.weights = parts.weights;
    this.forward = parts.forward;
    this.store = parts.store;
    this.measures = parts.measures;
    this.outputMatrices = parts.outputMatrices;
    this.#gpu = parts.gpu;
    this.#readback = parts.readback;
    this.#prompt = new PromptUniform(this.device, 1);
  }

  /** Tells the kernels of the next submission of a prompt. */
  promptOf({ ids, entry: { stride } }: Settled): BoundGroup {
    this.#prompt.write([{ tokens: ids.length, stride }]);
    return this.#prompt.at(0);
  }

  /**
   * Submits what leaves `bytes` bytes in a staging buffer, and reads them.
   *
   * @throws {InfoflowError} MATRIX_TOO_LARGE if the device has no room.
   */
  async read(
    bytes: number,
    record: (encoder: GPUCommandEncoder, staging: GPUBuffer) => void,
  ): Promise<Float32Array<ArrayBuffer>> {
    const staging = await this.store.withRoom(() => this.#readback.acquire([{ bytes }]));
    try {
      const encoder = this.device.createCommandEncoder({ label: "answer" });
      record(encoder, staging.buffer);
      this.device.queue.submit([encoder.finish()]);
    } catch (error) {
      this.#readback.release(staging);
      throw error;
    }
    const result = await this.#readback.take(staging);
    this.#gpu.check();
    return new Float32Array(result);
  }
}
