import code from "../../shaders/rollout.wgsl" with { type: "text" };
import { Kernel, read, readWrite, uniform, uniformAt } from "../gpu/kernel.ts";

const WORKGROUP_SOURCES = 32;

/** What the rollout of a prompt reads and writes. */
export interface RolloutOperands {
  readonly prompt: GPUBuffer;
  /** (L, T, T), packed: the mean over heads. */
  readonly mean: GPUBuffer;
  /** (L, T, T), packed: the product after each layer. */
  readonly rollout: GPUBuffer;
}

/** Attention rollout, see `shaders/rollout.wgsl`. */
export class Rollout {
  readonly #kernel: Kernel;
  readonly #layers: GPUBindGroup;
  readonly #offsets: readonly number[];

  private constructor(kernel: Kernel, layers: GPUBindGroup, offsets: readonly number[]) {
    this.#kernel = kernel;
    this.#layers = layers;
    this.#offsets = offsets;
  }

  /** Compiles the kernel for a model of so many layers. */
  static async create(device: GPUDevice, layers: number): Promise<Rollout> {
    const kernel = await Kernel.create(device, {
      label: "rollout",
      code,
      constants: {},
      groups: [["uniform", "read", "readWrite"], ["uniformAt"]],
    });
    const stride = device.limits.minUniformBufferOffsetAlignment;
    const indices = new Uint32Array(layers * stride / 4);
    const offsets = Array.from({ length: layers }, (_, layer) => layer * stride);
    offsets.forEach((offset, layer) => indices[offset / 4] = layer);
    const buffer = device.createBuffer({
      label: "layer indices",
      size: indices.byteLength,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    device.queue.writeBuffer(buffer, 0, indices);
    return new Rollout(kernel, kernel.bind(1, [uniformAt(buffer, 4)]), offsets);
  }

  /** Binds an entry's triangles and a buffer for the products. */
  bind({ prompt, mean, rollout }: RolloutOperands): GPUBindGroup {
    return this.#kernel.bind(0, [uniform(prompt), read(mean), readWrite(rollout)]);
  }

  /** Records the products of all layers, one after the other. */
  dispatch(pass: GPUComputePassEncoder, operands: GPUBindGroup, tokens: number): void {
    const groups = Math.ceil(tokens / 4);
    for (const offset of this.#offsets) {
      this.#kernel.dispatch(pass, {
        groups: [operands, this.#layers],
        workgroups: [Math.ceil(groups / WORKGROUP_SOURCES), groups],
        offsets: [offset],
      });
    }
  }
}
