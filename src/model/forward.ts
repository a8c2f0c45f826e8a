import { AttentionPattern } from "../kernels/attention_pattern.ts";
import { HeadMean } from "../kernels/head_mean.ts";
import { Linear, rowStride, TILE_ROWS } from "../kernels/linear.ts";
import { MixValues } from "../kernels/mix_values.ts";
import { Norm } from "../kernels/norm.ts";
import type { PatternEntry } from "../patterns/entry.ts";
import { VEC4 } from "../patterns/layout.ts";
import type { Architecture } from "./architecture.ts";
import type { Weights } from "./weights.ts";
import { allocateWorkspace, type Workspace } from "./workspace.ts";

/** The kernels of a model, compiled for its sizes. */
interface Kernels {
  readonly norm: Norm;
  readonly attentionIn: Linear;
  readonly attentionPattern: AttentionPattern;
  readonly mixValues: MixValues;
  readonly attentionOut: Linear;
  readonly mlpIn: Linear;
  readonly mlpOut: Linear;
  readonly headMean: HeadMean;
}

/** What the kernels of one layer are bound to, in the order of their use. */
interface Layer {
  readonly norm1: GPUBindGroup;
  readonly attentionIn: GPUBindGroup;
  readonly attentionPattern: GPUBindGroup;
  readonly attentionOut: GPUBindGroup;
  readonly norm2: GPUBindGroup;
  readonly mlpIn: GPUBindGroup;
  readonly mlpOut: GPUBindGroup;
}

/** What a forward pass is made from. */
export interface ForwardOptions {
  readonly architecture: Architecture;
  readonly weights: Weights;
  /** The uniform that tells kernels of the prompt at hand. */
  readonly prompt: GPUBuffer;
}

/** GPT-2's forward pass, as far as the attention pattern of its last layer. */
export class Forward {
  readonly #options: ForwardOptions;
  readonly #kernels: Kernels;
  readonly #workspace: Workspace;
  readonly #layers: readonly Layer[];
  readonly #mixValues: GPUBindGroup;

  private constructor(
    options: ForwardOptions,
    kernels: Kernels,
    workspace: Workspace,
    layers: readonly Layer[],
  ) {
    this.#options = options;
    this.#kernels = kernels;
    this.#workspace = workspace;
    this.#layers = layers;
    this.#mixValues = kernels.mixValues.bind({ prompt: options.prompt, ...workspace });
  }

  /**
   * Compiles the kernels, makes the activations and binds everything once.
   *
   * @throws {AllocationError} If the device has no room for the activations.
   */
  static async create(device: GPUDevice, options: ForwardOptions): Promise<Forward> {
    const kernels = await compile(device, options.architecture);
    const workspace = await allocateWorkspace(device, options.architecture);
    const layers = options.architecture.scales.map((scale, index) =>
      bindLayer(device, options, { kernels, workspace, index, scale })
    );
    return new Forward(options, kernels, workspace, layers);
  }

  /** Puts the embeddings of a prompt into the residual stream: x[t] = wte[id_t] + wpe[t]. */
  embed(queue: GPUQueue, ids: readonly number[]): void {
    const { architecture: { channels }, weights: { wte, wpe } } = this.#options;
    const stride = rowStride(channels);
    const x = new Float32Array(Math.ceil(ids.length / TILE_ROWS) * TILE_ROWS * stride);
    ids.forEach((id, t) => {
      for (let c = 0; c < channels; c++) {
        x[t * stride + c] = wte[id * channels + c]! + wpe[t * channels + c]!;
      }
    });
    queue.writeBuffer(this.#workspace.x, 0, x);
  }

  /** Records the pass of the embedded prompt; every layer writes its slice of `entry`. */
  encode(pass: GPUComputePassEncoder, entry: PatternEntry): void {
    const { architecture: { layers, channels }, prompt } = this.#options;
    const k = this.#kernels;
    const { tokens, layerBytes, stride } = entry;
    for (const slab of entry.slabs) {
      const written = k.attentionPattern.bindPatterns(slab.buffer, layerBytes);
      const mixed = k.mixValues.bindPatterns(slab.buffer, layerBytes);
      for (let i = 0; i < slab.layers; i++) {
        const layer = this.#layers[slab.firstLayer + i]!;
        const isLast = slab.firstLayer + i === layers - 1;
        const at = { tokens, offset: i * layerBytes };

        k.norm.dispatch(pass, layer.norm1, tokens);
        // The last layer has no use for its values: its queries and keys come first.
        const outputs = isLast ? 2 * channels : 3 * channels;
        k.attentionIn.dispatch(pass, layer.attentionIn, { tokens, outputs });
        k.attentionPattern.dispatch(pass, [layer.attentionPattern, written], at);
        if (isLast) break;
        k.mixValues.dispatch(pass, [this.#mixValues, mixed], at);
        k.attentionOut.dispatch(pass, layer.attentionOut, { tokens });
        k.norm.dispatch(pass, layer.norm2, tokens);
        k.mlpIn.dispatch(pass, layer.mlpIn, { tokens });
        k.mlpOut.dispatch(pass, layer.mlpOut, { tokens });
      }
      const offset = slab.firstLayer * stride * VEC4;
      const means = k.headMean.bind({ prompt, patterns: slab.buffer, mean: entry.mean, offset });
      k.headMean.dispatch(pass, means, { length: stride, layers: slab.layers });
    }
  }
}

async function compile(device: GPUDevice, architecture: Architecture): Promise<Kernels> {
  const { heads, channels: C, inner, epsilon } = architecture;
  const linear = (
    label: string,
    inputs: number,
    outputs: number,
    epilogue: "none" | "gelu" | "add",
  ) => Linear.create(device, { label, inputs, outputs, epilogue });
  return {
    norm: await Norm.create(device, { channels: C, epsilon }),
    attentionIn: await linear("attn.c_attn", C, 3 * C, "none"),
    attentionPattern: await AttentionPattern.create(device, { heads, channels: C }),
    mixValues: await MixValues.create(device, { heads, channels: C }),
    attentionOut: await linear("attn.c_proj", C, C, "add"),
    mlpIn: await linear("mlp.c_fc", C, inner, "gelu"),
    mlpOut: await linear("mlp.c_proj", inner, C, "add"),
    headMean: await HeadMean.create(device, heads),
  };
}

function bindLayer(
  device: GPUDevice,
  { weights, prompt }: ForwardOptions,
  { kernels, workspace, index, scale }: {
    kernels: Kernels;
    workspace: Workspace;
    index: number;
    scale: number;
  },
): Layer {
  const { x, normed, qkv, z, hidden } = workspace;
  const of = (name: string): GPUBuffer => weights.buffer(index, name);
  const linear = (name: string): { w: GPUBuffer; b: GPUBuffer } => ({
    w: of(`${name}.weight`),
    b: of(`${name}.bias`),
  });
  const norm = (
    name: string,
  ): { x: GPUBuffer; gain: GPUBuffer; bias: GPUBuffer; y: GPUBuffer } => ({
    x,
    gain: of(`${name}.weight`),
    bias: of(`${name}.bias`),
    y: normed,
  });
  const layer = device.createBuffer({
    label: `scale of layer ${index}`,
    size: 16,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
  device.queue.writeBuffer(layer, 0, new Float32Array([scale]));
  return {
    norm1: kernels.norm.bind(norm("ln_1")),
    attentionIn: kernels.attentionIn.bind({ x: normed, ...linear("attn.c_attn"), y: qkv }),
    attentionPattern: kernels.attentionPattern.bind({ prompt, layer, qkv }),
    attentionOut: kernels.attentionOut.bind({ x: z, ...linear("attn.c_proj"), y: x }),
    norm2: kernels.norm.bind(norm("ln_2")),
    mlpIn: kernels.mlpIn.bind({ x: normed, ...linear("mlp.c_fc"), y: hidden }),
    mlpOut: kernels.mlpOut.bind({ x: hidden, ...linear("mlp.c_proj"), y: x }),
  };
}
