/** Records dispatches and copies in their order. Compute passes begin and end as they are needed. */
export class Recorder {
  readonly #encoder: GPUCommandEncoder;
  readonly #label: string;
  #pass: GPUComputePassEncoder | undefined;

  /** @param label Its name in error messages and debuggers. */
  constructor(device: GPUDevice, label: string) {
    this.#encoder = device.createCommandEncoder({ label });
    this.#label = label;
  }

  /** Where dispatches are recorded. It is another one after a copy. */
  get pass(): GPUComputePassEncoder {
    return this.#pass ??= this.#encoder.beginComputePass({ label: this.#label });
  }

  /** Where copies are recorded, after all dispatches so far. */
  get encoder(): GPUCommandEncoder {
    this.#pass?.end();
    this.#pass = undefined;
    return this.#encoder;
  }

  /** Ends the recording. */
  finish(): GPUCommandBuffer {
    return this.encoder.finish();
  }
}
