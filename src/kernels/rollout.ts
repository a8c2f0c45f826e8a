import code from "../../shaders/rollout.wgsl" with { type: "text" };
import { UNIFORM_ALIGNMENT } from "../gpu/prompt_uniform.ts";
import { type BoundGroup, Kernel, read, readWrite, uniformAt } from "../gpu/kernel.ts";

const WORKGROUP_SOURCES = 32;

/** What the rollout of a prompt reads and writes. */
export interface RolloutOperands {
  /** (L, T, T), packed: the mean over heads. */
  readonly mean: GPUBuffer;
  /** (L, T, T), packed: the product after each layer. */
  readonly rollout: GPUBuffer;
}

/** Attention rollout, see `shaders/rollout.wgsl`. */
export class Rollout {
  readonly #kernel: Kernel;
  readonly #indices: GPUBindGroup;

  private constructor(kernel: Kernel, indices: GPUBindGroup) {
    this.#kernel = kernel;
    this.#indices = indices;
  }

  /** Compiles the kernel for so many layers at most. */
  static async create(device: GPUDevice, layers: number): Promise<Rollout> {
    const kernel = await Kernel.create(device, {
      label: "rollout",
      code,
      constants: {},
      groups: [["read", "readWrite"], ["uniformAt"], ["uniformAt"]],
    });
    const words = new Uint32Array(layers * UNIFORM_ALIGNMENT / 4);
    for (let layer = 0; layer < layers; layer++) words[layer * UNIFORM_ALIGNMENT / 4] = layer;
    const buffer = device.createBuffer({
      label: "layer indices",
      size: words.byteLength,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    device.queue.writeBuffer(buffer, 0, words);
    return new Rollout(kernel, kernel.bind(2, [uniformAt(buffer, { size: 16 })]));
  }

  /** Binds an entry's triangles and a buffer for the products. */
  bind({ mean, rollout }: RolloutOperands): GPUBindGroup {
    return this.#kernel.bind(0, [read(mean), readWrite(rollout)]);
  }

  /** Records the products of so many layers, one after the other. */
  dispatch(
    pass: GPUComputePassEncoder,
    [operands, prompt]: readonly [BoundGroup, BoundGroup],
    { tokens, layers }: { tokens: number; layers: number },
  ): void {
    const groups = Math.ceil(tokens / 4);
    const workgroups = [Math.ceil(groups / WORKGROUP_SOURCES), groups] as const;
    for (let layer = 0; layer < layers; layer++) {
      const index: BoundGroup = [this.#indices, layer * UNIFORM_ALIGNMENT];
      this.#kernel.dispatch(pass, [operands, prompt, index], workgroups);
    }
  }
}
