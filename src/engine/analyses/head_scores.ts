import type { Settled } from "../passes/materialize.ts";
import { GrowingBuffer } from "../gpu/growing_buffer.ts";
import { indexGroup } from "../gpu/index_uniform.ts";
import { CellSums, LISTS } from "../kernels/cell_sums.ts";
import { patternsOf } from "../activations/prompt_activations.ts";
import type { CellLists } from "../../requests/questions.ts";
import type { Workbench } from "./device_context.ts";

/** Sums cells of every head's pattern. */
export class HeadSums {
  readonly #bench: Workbench;
  readonly #cells: GrowingBuffer;
  readonly #sums: GrowingBuffer;
  readonly #ends: GPUBuffer;
  #kernel: CellSums | undefined;

  constructor(bench: Workbench) {
    this.#bench = bench;
    const { device } = bench;
    this.#cells = new GrowingBuffer(device, "cells");
    this.#sums = new GrowingBuffer(device, "sums of cells");
    this.#ends = device.createBuffer({
      label: "lists of cells",
      size: 16,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
  }

  /** @returns (L, H, 3): the sums over each list. */
  async of(
    settled: Settled,
    lists: CellLists,
  ): Promise<Float32Array<ArrayBuffer>> {
    const { device, architecture: { layers, heads }, store } = this.#bench;
    const { entry } = settled;
    this.#kernel ??= await CellSums.create(device);
    const kernel = this.#kernel;
    let end = 0;
    const ends = lists.map((list) => end += list.length / 2);
    const words = new Uint32Array(2 * end);
    lists.forEach((list, index) => words.set(list, 2 * (ends[index - 1] ?? 0)));
    const cells = await store.withRoom(() => this.#cells.atLeast(words.byteLength));
    const bytes = layers * heads * LISTS * Float32Array.BYTES_PER_ELEMENT;
    const sums = await store.withRoom(() => this.#sums.atLeast(bytes));
    device.queue.writeBuffer(cells, 0, words);
    device.queue.writeBuffer(this.#ends, 0, new Uint32Array([...ends, 0]));
    const prompt = this.#bench.promptOf(settled);
    const operands = kernel.bind({ lists: this.#ends, cells, sums });
    return await this.#bench.read(bytes, (encoder, staging) => {
      const pass = encoder.beginComputePass({ label: "head scores" });
      for (let layer = 0; layer < layers; layer++) {
        const { buffer, offset } = patternsOf(entry, layer);
        const patterns = kernel.bind({ patterns: { buffer, size: entry.layerBytes } });
        const groups = [
          [operands],
          prompt,
          [patterns, offset],
          indexGroup(device, layer),
        ] as const;
        kernel.dispatch(pass, groups, { heads });
      }
      pass.end();
      encoder.copyBufferToBuffer(sums, 0, staging, 0, bytes);
    });
  }
}
