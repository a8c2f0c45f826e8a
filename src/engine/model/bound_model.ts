import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { Site } from "../../requests/interventions/sites.ts";
import type { PromptActivations } from "../activations/prompt_activations.ts";
import { makeUniform } from "../gpu/uniform.ts";
import { HeadMean } from "../kernels/head_mean.ts";
import { Attention } from "./attention.ts";
import type { AttentionKernels } from "./attention_trial.ts";
import { BoundLayer, compileLayerKernels, type LayerKernels } from "./bound_layer.ts";
import { KeysValues } from "./keys_values.ts";
import { LayerOutputs } from "./layer_outputs.ts";
import type { ForwardPass } from "./pass.ts";
import { PassSites } from "./pass_sites.ts";
import type { LayerWeights, Weights } from "./weights.ts";
import { allocateWorkspace, type Workspace } from "./workspace.ts";

/** The fewest rows of the activations, which grow fourfold. */
const FEWEST_ROWS = 64;

/** The kernels of a forward pass. */
export interface ForwardKernels extends LayerKernels {
  readonly headMean: HeadMean;
  readonly outputs: LayerOutputs;
}

/** A model's weights. */
export interface Model {
  readonly architecture: Architecture;
  readonly weights: Weights;
}

/** Compiles the kernels that are a model's own, which can be done before its weights are loaded. */
export async function compileForward(
  device: GPUDevice,
  architecture: Architecture,
  attention: AttentionKernels,
): Promise<ForwardKernels> {
  return {
    ...await compileLayerKernels(device, architecture, attention),
    headMean: await HeadMean.create(device, architecture),
    outputs: await LayerOutputs.create(device, architecture),
  };
}

/** A model's layers, bound to a workspace that grows with the passes. */
export class BoundModel {
  protected readonly device: GPUDevice;
  protected readonly architecture: Architecture;
  protected readonly weights: Weights;
  protected readonly outputs: LayerOutputs;
  protected readonly attention: Attention;
  protected readonly keysValues: KeysValues;
  /** `struct Rows` of the linears: the number of rows, and the first one's row in `qkv`. */
  protected readonly rows: GPUBuffer;
  protected layers: readonly BoundLayer[] = [];
  #workspace: Workspace | undefined;
  #sites: PassSites | undefined;
  readonly #kernels: LayerKernels;
  /** The scale of each layer's scores. */
  readonly #scales: readonly GPUBuffer[];

  constructor(
    device: GPUDevice,
    { architecture, weights }: Model,
    { outputs, ...kernels }: ForwardKernels,
  ) {
    this.device = device;
    this.architecture = architecture;
    this.weights = weights;
    this.outputs = outputs;
    this.attention = new Attention(kernels);
    this.keysValues = new KeysValues(architecture);
    this.rows = makeUniform(device, "rows of the pass", new Uint32Array(2));
    this.#kernels = kernels;
    this.#scales = architecture.scales.map((scale, layer) =>
      makeUniform(device, `scale of layer ${layer}`, new Float32Array([scale]))
    );
  }

  /** The activations of a pass, after {@linkcode reserve}. */
  protected get workspace(): Workspace {
    return this.#workspace!;
  }

  /** The sites of a pass, after {@linkcode reserve}. */
  protected get sites(): PassSites {
    return this.#sites!;
  }

  /**
   * Makes sure that there are activations for `rows` rows.
   *
   * @throws {AllocationError} If the device has no room for them.
   */
  async reserve(rows: number): Promise<void> {
    if (this.#workspace && this.#workspace.rows >= rows) return;
    let size = FEWEST_ROWS;
    while (size < rows) size *= 4;
    const most = Math.max(rows, Math.ceil(this.architecture.context / 16) * 16);
    this.#workspace?.destroy();
    this.#workspace = undefined;
    this.keysValues.forget();
    const workspace = await allocateWorkspace(this.device, this.architecture, {
      rows: Math.min(size, most),
    });
    this.layers = this.bindLayers(workspace);
    this.#sites = new PassSites(workspace, this.outputs, this.architecture.channels / 4);
    this.#workspace = workspace;
  }

  /**
   * Allocates what passes need that keep or change the outputs of attention or of MLPs.
   *
   * @throws {AllocationError} If the device has none.
   */
  async reserveFor({ keep, edits }: Pick<ForwardPass, "keep" | "edits">): Promise<void> {
    const isOutput = ({ site }: { readonly site: Site }): boolean =>
      site === "ATTN_OUT" || site === "MLP_OUT";
    if (keep.some(isOutput) || edits.some(isOutput)) {
      await this.outputs.reserve(this.#workspace!.rows);
    }
  }

  /** The layers bound to another workspace, for callers that record attention themselves (see patching). */
  bindLayers(workspace: Workspace, rows: GPUBuffer = this.rows): BoundLayer[] {
    const { qkv } = workspace;
    return this.weights.layers.map((weights, layer) =>
      new BoundLayer(this.#kernels, {
        weights,
        workspace,
        rows,
        qkv: qkv[layer % qkv.length]!,
        scale: this.#scales[layer]!,
      })
    );
  }

  /** (T, 3C) of a layer. {@linkcode reserve} may replace it. */
  qkv(layer: number): GPUTextureView {
    return this.#workspace!.qkv[layer]!;
  }

  /** The tiling of a layer's linears. */
  layerWeights(layer: number): LayerWeights {
    return this.weights.layers[layer]!;
  }

  /** Records that the keys and values of a prompt are in `qkv` from row 0 on. */
  bringValues(
    encoder: GPUCommandEncoder,
    prompt: { readonly activations: PromptActivations; readonly ids: readonly number[] },
  ): void {
    this.keysValues.bring(encoder, this.#workspace!.qkvTexture, prompt);
  }
}
