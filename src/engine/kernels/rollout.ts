import code from "../../../shaders/rollout.wgsl" with { type: "text" };
import { IndexUniform } from "./index_uniform.ts";
import { type BoundGroup, Kernel, read, readWrite } from "../gpu/kernel.ts";

/** Vec4s of sources that a workgroup makes, and groups of four targets. */
const SOURCES = 8 * 4;
const TARGETS = 4;

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
  readonly #indices: IndexUniform;

  private constructor(kernel: Kernel, indices: IndexUniform) {
    this.#kernel = kernel;
    this.#indices = indices;
  }

  /**
   * Compiles the kernel for so many layers at most.
   *
   * @param options Whether the residual stream is added, as half of each layer, or is in the matrices.
   */
  static async create(
    device: GPUDevice,
    { layers, addsResidual = true }: { layers: number; addsResidual?: boolean },
  ): Promise<Rollout> {
    const kernel = await Kernel.create(device, {
      label: "rollout",
      code,
      constants: { IDENTITY: addsResidual ? 1 : 0 },
      groups: [["read", "readWrite"], ["uniformAt"], ["uniformAt"]],
    });
    return new Rollout(kernel, new IndexUniform(device, kernel, { group: 2, count: layers }));
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
    const workgroups = [Math.ceil(groups / SOURCES), Math.ceil(groups / TARGETS)] as const;
    for (let layer = 0; layer < layers; layer++) {
      this.#kernel.dispatch(pass, [operands, prompt, this.#indices.at(layer)], workgroups);
    }
  }
}
