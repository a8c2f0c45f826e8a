import type { BoundGroup } from "../gpu/kernel.ts";
import type { Gpu } from "../gpu/device.ts";
import { type PromptFields, PromptUniform } from "../kernels/prompt.ts";
import { type DeviceResult, Readback, type Staging } from "../gpu/readback.ts";
import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { Forward, Segment } from "../model/forward.ts";
import { copyRows } from "../activations/prompt_activations.ts";
import { cancelled } from "../flow/flow_request.ts";
import { Pace } from "./pass_pieces.ts";
import type { PromptStore, PromptWork } from "./prompt_plan.ts";

/** What is wanted of the device beside the patterns of some prompts. */
export interface Wanted {
  readonly result: DeviceResult;
  /** What kernels are to know of each prompt that `encode` is about. */
  readonly fields: readonly (Partial<PromptFields> & {
    readonly work: Pick<PromptWork, "ids" | "entry">;
  })[];
  encode(pass: GPUComputePassEncoder, prompts: readonly BoundGroup[]): void;
  /** Whether anybody still waits for any of it. */
  isWanted(): boolean;
}

/** Submits passes: the forward pass of some prompts, what is wanted of their patterns, and the readback of that. */
export class PassRunner {
  /** When the last run was submitted and when it was read back, in ms since 1970. */
  lastRun: { readonly submitted: number; readonly read: number } = { submitted: 0, read: 0 };
  readonly prompts: PromptUniform;
  readonly readback: Readback;
  readonly #gpu: Gpu;
  readonly #architecture: Architecture;
  readonly #forward: Forward;
  readonly #store: PromptStore;
  readonly #pace: Pace;

  /** @param most How many prompts kernels are told of in one pass. */
  constructor(
    gpu: Gpu,
    architecture: Architecture,
    { forward, store, most }: { forward: Forward; store: PromptStore; most: number },
  ) {
    this.#gpu = gpu;
    this.#architecture = architecture;
    this.#forward = forward;
    this.#store = store;
    this.#pace = new Pace(architecture.layers);
    this.prompts = new PromptUniform(gpu.device, most);
    this.readback = new Readback(gpu.device);
  }

  /** Whether a pass over so many rows is expected to take so long that it goes in pieces. */
  isLong(rows: number): boolean {
    return this.#pace.pieces(rows).length > 1;
  }

  /** Submits, reads back once; then the works are committed, or aborted if it fails or nobody waits any more. */
  async run(works: readonly PromptWork[], wanted: Wanted): Promise<Float32Array<ArrayBuffer>> {
    try {
      const rows = works.reduce(
        (sum, { ids, first }) => sum + (first < ids.length ? ids.length : 0),
        0,
      );
      if (rows > 0) await this.#store.withRoom(() => this.#forward.reserve(rows));
      const staging = await this.#store.withRoom(() => this.readback.acquire(wanted.result));
      const begin = performance.now();
      try {
        await this.#submit(works, wanted, staging);
      } catch (error) {
        this.readback.release(staging);
        throw error;
      }
      const submitted = performance.now();
      const bytes = await this.readback.take(staging);
      const read = performance.now();
      this.#pace.record(rowsOf(works), read - begin);
      const { timeOrigin } = performance;
      this.lastRun = { submitted: timeOrigin + submitted, read: timeOrigin + read };
      this.#gpu.check();
      for (const work of works) work.commit();
      return new Float32Array(bytes);
    } catch (error) {
      for (const work of works) work.abort();
      throw error;
    }
  }

  /**
   * One command buffer, one submission. A pass that will take long goes in pieces of some layers, between which the
   * thread waits for the device and looks whether anybody still wants it.
   */
  async #submit(works: readonly PromptWork[], wanted: Wanted, staging: Staging): Promise<void> {
    const { device } = this.#gpu;
    const segments = this.#segments(works);
    const asked = wanted.fields.map(({ work: { ids, entry: { stride } }, ...fields }) => {
      return { tokens: ids.length, stride, ...fields };
    });
    this.prompts.write([...segments.map(promptFields), ...asked]);

    let encoder = device.createCommandEncoder({ label: "flow" });
    const pieces = this.#pace.pieces(rowsOf(works));
    if (pieces.length > 1) clear(encoder, works);
    for (const { base, entry, first } of works) {
      if (base && base !== entry) {
        copyRows(encoder, { source: base, target: entry, rows: first }, this.#architecture);
      }
    }
    if (segments.length > 0) this.#forward.begin(encoder, segments);
    let pass = encoder.beginComputePass({ label: "flow" });
    for (const { first, end, isLast } of pieces) {
      if (segments.length > 0) this.#forward.encode(pass, segments, { first, end });
      if (isLast) break;
      pass.end();
      await this.pause(encoder, segments[0]!.entry.mean);
      if (!wanted.isWanted()) throw cancelled();
      encoder = device.createCommandEncoder({ label: "flow" });
      pass = encoder.beginComputePass({ label: "flow" });
    }
    wanted.encode(pass, asked.map((_, i) => this.prompts.at(segments.length + i)));
    pass.end();
    if (segments.length > 0) this.#forward.end(encoder, segments);
    this.readback.copy(encoder, wanted.result, staging);
    device.queue.submit([encoder.finish()]);
  }

  /** Submits what is recorded and waits until it is done, by reading the first number of some buffer. */
  async pause(encoder: GPUCommandEncoder, buffer: GPUBuffer): Promise<void> {
    const result = [{ buffer, bytes: Float32Array.BYTES_PER_ELEMENT }];
    const staging = await this.readback.acquire(result);
    this.readback.copy(encoder, result, staging);
    this.#gpu.device.queue.submit([encoder.finish()]);
    await this.readback.take(staging);
  }

  /** Gives the prompts that are to be computed their rows, one after the other. */
  #segments(works: readonly PromptWork[]): Segment[] {
    let row = 0;
    return works.filter(({ first, ids }) => first < ids.length).map((work, index) => {
      const segment = { ...work, row, slot: row, prompt: this.prompts.at(index) };
      row += work.ids.length - work.first;
      return segment;
    });
  }
}

/**
 * Makes new entries zero. The device would do so where it is first told that a kernel reads an entry whole, which is in
 * the last piece: it does not see what kernels wrote through dynamic offsets in the pieces before.
 */
function clear(encoder: GPUCommandEncoder, works: readonly PromptWork[]): void {
  for (const { base, entry } of works) {
    if (base === entry) continue; // patterns are in it
    for (const { buffer } of entry.slabs) encoder.clearBuffer(buffer);
  }
}

/** The rows that a pass computes. */
function rowsOf(works: readonly PromptWork[]): number {
  return works.reduce((sum, { ids, first }) => sum + ids.length - first, 0);
}

/** What kernels of the forward pass are to know of a segment. */
function promptFields(segment: Segment): Partial<PromptFields> {
  const { ids, first, slot, row, entry: { stride } } = segment;
  return { tokens: ids.length, first, slot, row, stride };
}
