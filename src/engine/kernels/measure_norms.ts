import code from "../../../shaders/measure_norms.wgsl" with { type: "text" };
import { type BoundGroup, Kernel, read, readAt, readWriteAt } from "../gpu/kernel.ts";

const WORKGROUP_SOURCES = 32;

/** Whose length is measured: of each head's part, of their sum, or of the sum with the residual stream. */
export type NormKind = "apart" | "together" | "residual";
const KINDS: Record<NormKind, number> = { apart: 0, together: 1, residual: 2 };

/** The groups of a measure: its operands, the prompt, the layer's patterns, the layer's matrix. */
export type MeasureGroups = readonly [BoundGroup, BoundGroup, BoundGroup, BoundGroup];

/** Lengths of what targets take from sources, see `shaders/measure_norms.wgsl`. */
export class MeasureNorms {
  readonly #kernel: Kernel;

  private constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Compiles the kernel for a model and a kind of length. */
  static async create(
    device: GPUDevice,
    { heads, vectors, kind }: { heads: number; vectors: number; kind: NormKind },
  ): Promise<MeasureNorms> {
    return new MeasureNorms(
      await Kernel.create(device, {
        label: `measure_norms ${kind}`,
        code,
        constants: { HEADS: heads, VECTORS: vectors, KIND: KINDS[kind] },
        groups: [["read"], ["uniformAt"], ["readAt"], ["readWriteAt"]],
      }),
    );
  }

  /** Binds the scalar products. */
  bind(gram: GPUBuffer): GPUBindGroup {
    return this.#kernel.bind(0, [read(gram)]);
  }

  /** Binds a buffer of patterns, of which a dispatch reads `size` bytes at its offset. */
  bindPatterns(patterns: GPUBuffer, size: number): GPUBindGroup {
    return this.#kernel.bind(2, [readAt(patterns, { size })]);
  }

  /** Binds a buffer of matrices, of which a dispatch writes `size` bytes at its offset. */
  bindMatrix(matrix: GPUBuffer, size: number): GPUBindGroup {
    return this.#kernel.bind(3, [readWriteAt(matrix, { size })]);
  }

  /** Records the measure of one layer. */
  dispatch(pass: GPUComputePassEncoder, groups: MeasureGroups, tokens: number): void {
    this.#kernel.dispatch(pass, groups, [Math.ceil((tokens + 3) / WORKGROUP_SOURCES), tokens]);
  }
}
