import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { AttentionPattern } from "../kernels/attention_pattern.ts";
import type { AttentionKernels } from "./attention_trial.ts";
import type { MixValues } from "../kernels/mix_values.ts";
import type { Norm } from "../kernels/norm.ts";
import { normFor } from "../kernels/norm_rows.ts";
import type { LayerWeights, LinearLayer, NormWeights } from "./weights.ts";
import type { Workspace } from "./workspace.ts";

/** The kernels of a layer, compiled for a model's sizes. */
export interface LayerKernels {
  readonly norm: Norm;
  readonly attentionPattern: AttentionPattern;
  /** The two halves of the pattern kernel, for scores that are kept or changed. */
  readonly scores: AttentionPattern;
  readonly softmax: AttentionPattern;
  readonly mixValues: MixValues;
}

/** Compiles the kernels of layers. */
export async function compileLayerKernels(
  device: GPUDevice,
  { heads, channels, epsilon }: Architecture,
  { attending, mixing }: AttentionKernels,
): Promise<LayerKernels> {
  return {
    norm: await normFor(device).create(device, { channels, epsilon }),
    attentionPattern: await attending.create(device, { heads, channels }),
    scores: await attending.create(device, { heads, channels, stage: "scores" }),
    softmax: await attending.create(device, { heads, channels, stage: "softmax" }),
    mixValues: await mixing.create(device, { heads, channels }),
  };
}

/** The resources that a layer's kernels are bound to. */
export interface LayerOperands {
  readonly weights: LayerWeights;
  readonly workspace: Workspace;
  /** (T, 3C) of this layer. */
  readonly qkv: GPUTextureView;
  /** `struct Rows` of the linears: the number of rows, and the first one's row in `qkv`. */
  readonly rows: GPUBuffer;
  /** `struct Layer` of the patterns: the scale of the scores. */
  readonly scale: GPUBuffer;
}

/**
 * A layer of the model bound to textures of activations. It works on rows, of one prompt or of many. Only attention,
 * from `qkv` to `z`, has to know which rows belong together, so its callers record it.
 */
export class BoundLayer {
  /** What patterns and mixing read and write. */
  readonly attention: { readonly pattern: GPUBindGroup; readonly mix: GPUBindGroup };
  readonly #kernels: LayerKernels;
  readonly #operands: LayerOperands;
  readonly #groups: Record<
    "norm1" | "attentionIn" | "attentionOut" | "norm2" | "mlpIn" | "mlpOut",
    GPUBindGroup
  >;

  constructor(kernels: LayerKernels, operands: LayerOperands) {
    this.#kernels = kernels;
    this.#operands = operands;
    const { weights, workspace, qkv, scale } = operands;
    const { residual, middle, normed, z, hidden } = workspace;
    this.attention = {
      pattern: kernels.attentionPattern.bind({ layer: scale, qkv }),
      mix: kernels.mixValues.bind({ qkv, z }),
    };
    this.#groups = {
      norm1: this.#norm(residual, weights.norm1),
      attentionIn: this.#linear(weights.attentionIn, { x: normed, residual, y: qkv }),
      attentionOut: this.#linear(weights.attentionOut, { x: z, residual, y: middle }),
      norm2: this.#norm(middle, weights.norm2),
      mlpIn: this.#linear(weights.mlpIn, { x: normed, residual, y: hidden }),
      mlpOut: this.#linear(weights.mlpOut, { x: hidden, residual: middle, y: residual }),
    };
  }

  /** Records qkv = LN1(resid_pre) W + b. */
  attentionIn(pass: GPUComputePassEncoder, rows: number): void {
    const { weights } = this.#operands;
    this.#kernels.norm.dispatch(pass, [[this.#groups.norm1]], { rows });
    weights.attentionIn.w.dispatch(pass, this.#groups.attentionIn, { rows });
  }

  /** Records resid_mid = resid_pre + z W_O + b_O. */
  attentionOut(pass: GPUComputePassEncoder, rows: number): void {
    const { weights } = this.#operands;
    weights.attentionOut.w.dispatch(pass, this.#groups.attentionOut, { rows });
  }

  /** Records the MLP's hidden layer, f(LN2(resid_mid) W + b). */
  mlpIn(pass: GPUComputePassEncoder, rows: number): void {
    const { weights } = this.#operands;
    this.#kernels.norm.dispatch(pass, [[this.#groups.norm2]], { rows });
    weights.mlpIn.w.dispatch(pass, this.#groups.mlpIn, { rows });
  }

  /** Records resid_post = resid_mid + hidden W + b. */
  mlpOut(pass: GPUComputePassEncoder, rows: number): void {
    const { weights } = this.#operands;
    weights.mlpOut.w.dispatch(pass, this.#groups.mlpOut, { rows });
  }

  #norm(x: GPUTextureView, { affine }: NormWeights): GPUBindGroup {
    return this.#kernels.norm.bind({ x, affine, y: this.#operands.workspace.normed });
  }

  #linear(
    { w, b }: LinearLayer,
    operands: { readonly x: GPUTextureView; residual: GPUTextureView; y: GPUTextureView },
  ): GPUBindGroup {
    return w.bind({ rows: this.#operands.rows, b, ...operands });
  }
}
