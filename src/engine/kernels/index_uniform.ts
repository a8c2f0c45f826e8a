import { type BoundGroup, type Kernel, uniformAt } from "../gpu/kernel.ts";
import { UNIFORM_ALIGNMENT } from "./prompt.ts";

/** The numbers from 0 on in a uniform buffer, for kernels that are told which layer or head they are about. */
export class IndexUniform {
  readonly #group: GPUBindGroup;

  /**
   * @param kernel The kernel to bind it for.
   * @param options Which of its groups it is, and how many numbers there are.
   */
  constructor(
    device: GPUDevice,
    kernel: Kernel,
    { group, count }: { readonly group: number; readonly count: number },
  ) {
    const words = new Uint32Array(count * UNIFORM_ALIGNMENT / 4);
    for (let index = 0; index < count; index++) words[index * UNIFORM_ALIGNMENT / 4] = index;
    const buffer = device.createBuffer({
      label: "indices",
      size: words.byteLength,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    device.queue.writeBuffer(buffer, 0, words);
    this.#group = kernel.bind(group, [uniformAt(buffer, { size: 16 })]);
  }

  /** The group that a dispatch about one of them is given. */
  at(index: number): BoundGroup {
    return [this.#group, index * UNIFORM_ALIGNMENT];
  }
}
