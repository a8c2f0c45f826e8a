import type { Architecture } from "../../requests/architecture/architecture.ts";
import { keptAt } from "../activations/kept_sites.ts";
import { patternsOf } from "../activations/prompt_activations.ts";
import { GrowingBuffer } from "../gpu/growing_buffer.ts";
import { RouteParts } from "../kernels/route_parts.ts";
import type { HeadWrites } from "./head_writes.ts";
import type { MeasuredPrompt, PreparedPrompt } from "./measured_prompt.ts";

/** How much nearer each head and source brings each target to its value after attention, for one layer at a time. */
export class RouteShares {
  readonly #device: GPUDevice;
  readonly #architecture: Architecture;
  readonly #writes: HeadWrites;
  readonly #parts: GrowingBuffer;
  #kernel: RouteParts | undefined;

  constructor(device: GPUDevice, architecture: Architecture, writes: HeadWrites) {
    this.#device = device;
    this.#architecture = architecture;
    this.#writes = writes;
    this.#parts = new GrowingBuffer(device, "parts of routes");
  }

  /**
   * Compiles the kernel and makes room.
   *
   * @returns The buffer of the parts.
   * @throws {AllocationError} If the device has no room.
   */
  async prepare({ activations, tokens }: PreparedPrompt): Promise<GPUBuffer> {
    await this.#writes.prepare(tokens);
    this.#kernel ??= await RouteParts.create(this.#device, this.#architecture);
    return await this.#parts.atLeast(activations.layerBytes);
  }

  /** Records one layer. @returns (H, T, T), packed, not yet divided by sums of rows. */
  encode(pass: GPUComputePassEncoder, measured: MeasuredPrompt, layer: number): GPUBuffer {
    const { activations, tokens, prompt } = measured;
    const parts = this.#parts.buffer!;
    const kernel = this.#kernel!;
    const f = this.#writes.encode(pass, measured, layer);
    const y = keptAt(activations, { site: "RESID_MID", layer }).createView();
    const { buffer, offset } = patternsOf(activations, layer);
    kernel.dispatch(pass, [
      [kernel.bind({ f, y, parts })],
      prompt,
      [kernel.bind({ patterns: { buffer, size: activations.layerBytes } }), offset],
    ], { tokens });
    return parts;
  }
}
