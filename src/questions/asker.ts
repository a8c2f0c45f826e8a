import type { Gpu } from "../gpu/device.ts";
import type { Readback } from "../gpu/readback.ts";
import type { Forward } from "../model/forward.ts";
import type { Architecture } from "../model/architecture.ts";
import type { Weights } from "../model/weights.ts";
import { streamIndex } from "../patterns/streams.ts";
import type { PromptStore } from "../engine/prompt_store.ts";
import type { Settled, Settler } from "../engine/settler.ts";
import type { Question, Questions } from "./question.ts";
import { type TopRow, Unembedding } from "./unembedding.ts";

/** What questions are answered with. */
export interface AskerParts {
  readonly gpu: Gpu;
  readonly architecture: Architecture;
  readonly weights: Weights;
  readonly forward: Forward;
  readonly store: PromptStore;
  readonly settler: Settler;
  readonly readback: Readback;
}

/** Answers questions about a prompt, from its streams and patterns on the device. */
export class Asker {
  readonly #parts: AskerParts;
  #unembedding: Unembedding | undefined;

  constructor(parts: AskerParts) {
    this.#parts = parts;
  }

  /**
   * Answers a question.
   *
   * @throws {InfoflowError} MATRIX_TOO_LARGE if the device has no room.
   */
  async ask(question: Question): Promise<Questions[keyof Questions]["result"]> {
    switch (question.name) {
      case "nextTokens":
        return await this.#nextTokens(question.argument);
      case "logitLens":
        return await this.#logitLens(question.argument);
    }
  }

  async #nextTokens(
    { ids, k, ablate }: Questions["nextTokens"]["argument"],
  ): Promise<Questions["nextTokens"]["result"]> {
    const settled = await this.#parts.settler.settle(ids, { streams: true, ablate });
    const tops = await this.#finish(settled, () =>
      this.#tops(settled, {
        layers: [this.#parts.architecture.layers],
        row: ids.length - 1,
        rows: 1,
        k,
      }));
    return { cacheHit: settled.cacheHit, top: tops[0]! };
  }

  async #logitLens(
    { ids, k }: Questions["logitLens"]["argument"],
  ): Promise<Questions["logitLens"]["result"]> {
    const settled = await this.#parts.settler.settle(ids, { streams: true });
    const layers = Array.from(
      { length: this.#parts.architecture.layers + 1 },
      (_, layer) => layer,
    );
    const tops = await this.#finish(
      settled,
      () => this.#tops(settled, { layers, row: 0, rows: ids.length, k }),
    );
    return { cacheHit: settled.cacheHit, tops };
  }

  async #tops(
    { entry }: Settled,
    { layers, row, rows, k }: {
      readonly layers: readonly number[];
      readonly row: number;
      readonly rows: number;
      readonly k: number;
    },
  ): Promise<TopRow[]> {
    const { store, gpu } = this.#parts;
    const unembedding = await this.#prepared();
    const { texture } = entry.streams!;
    const sources = layers.map((layer) => {
      return { texture, layer: streamIndex(layer, "before"), row, rows };
    });
    const { buffer, offset, bytes } = await store.withRoom(() => unembedding.top(sources, k));
    const numbers = await this.#read(
      bytes,
      (encoder, staging) => encoder.copyBufferToBuffer(buffer, offset, staging, 0, bytes),
    );
    gpu.check();
    return unembedding.read(numbers, k);
  }

  /** The table takes a while to be uploaded, and room for as long as the engine lives. */
  async #prepared(): Promise<Unembedding> {
    if (this.#unembedding) return this.#unembedding;
    const { gpu: { device }, architecture, weights, store } = this.#parts;
    store.makeRoom(4 * architecture.vocabulary * architecture.channels);
    this.#unembedding = await store.withRoom(() =>
      Unembedding.create(device, architecture, weights)
    );
    store.reserve(this.#unembedding.bytes);
    return this.#unembedding;
  }

  async #finish<T>(settled: Settled, answer: () => Promise<T>): Promise<T> {
    try {
      const result = await answer();
      settled.commit();
      return result;
    } catch (error) {
      settled.abort();
      throw error;
    }
  }

  /** Submits copies to a staging buffer and reads it. */
  async #read(
    bytes: number,
    record: (encoder: GPUCommandEncoder, staging: GPUBuffer) => void,
  ): Promise<Float32Array<ArrayBuffer>> {
    const { readback, store, gpu: { device } } = this.#parts;
    const staging = await store.withRoom(() => readback.acquire([{ bytes }]));
    try {
      const encoder = device.createCommandEncoder({ label: "answer" });
      record(encoder, staging.buffer);
      device.queue.submit([encoder.finish()]);
    } catch (error) {
      readback.release(staging);
      throw error;
    }
    return new Float32Array(await readback.take(staging));
  }
}
