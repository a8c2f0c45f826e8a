import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { Site } from "../../requests/interventions/sites.ts";
import { keptAt } from "../activations/kept_sites.ts";
import type { PromptActivations } from "../activations/prompt_activations.ts";
import type { Recorder } from "../gpu/recorder.ts";
import { makeUniform } from "../gpu/uniform.ts";
import type { AttentionKernels } from "./attention_trial.ts";
import { HeadMean } from "../kernels/head_mean.ts";
import { Attention } from "./attention.ts";
import { BoundLayer, compileLayerKernels, type LayerKernels } from "./bound_layer.ts";
import { embed } from "./embed.ts";
import { KeysValues } from "./keys_values.ts";
import { LayerOutputs, type OutputOperands } from "./layer_outputs.ts";
import { type ForwardPass, rowsOf } from "./pass.ts";
import { PassSites } from "./pass_sites.ts";
import { stopOf } from "./stop.ts";
import type { LayerWeights, Weights } from "./weights.ts";
import { allocateWorkspace, type Workspace } from "./workspace.ts";

/** The fewest rows of the activations, which grow fourfold. */
const FEWEST_ROWS = 64;

/** Dependencies of a forward pass. */
export interface ForwardKernels extends LayerKernels {
  readonly headMean: HeadMean;
  readonly outputs: LayerOutputs;
}

/** GPT-2's forward pass, up to the last site that is needed: patterns, and the activations kept at sites. */
export class Forward {
  readonly #device: GPUDevice;
  readonly #architecture: Architecture;
  readonly #weights: Weights;
  readonly #kernels: LayerKernels;
  readonly #outputs: LayerOutputs;
  readonly #attention: Attention;
  readonly #keysValues: KeysValues;
  /** `struct Rows` of the linears: the number of rows, and the first one's row in `qkv`. */
  readonly #rows: GPUBuffer;
  /** What is in it. */
  #told: readonly number[] = [0, 0];
  /** The scale of each layer's scores. */
  readonly #scales: readonly GPUBuffer[];
  #workspace: Workspace | undefined;
  #layers: readonly BoundLayer[] = [];
  #sites: PassSites | undefined;

  private constructor(
    device: GPUDevice,
    { architecture, weights }: { architecture: Architecture; weights: Weights },
    { outputs, ...kernels }: ForwardKernels,
  ) {
    this.#device = device;
    this.#architecture = architecture;
    this.#weights = weights;
    this.#kernels = kernels;
    this.#outputs = outputs;
    this.#attention = new Attention(kernels);
    this.#keysValues = new KeysValues(architecture);
    this.#rows = makeUniform(device, "rows of the pass", new Uint32Array(2));
    this.#scales = architecture.scales.map((scale, layer) =>
      makeUniform(device, `scale of layer ${layer}`, new Float32Array([scale]))
    );
  }

  /** Compiles the kernels that are a model's own. */
  static async create(
    device: GPUDevice,
    { attention, ...options }: {
      architecture: Architecture;
      weights: Weights;
      attention: AttentionKernels;
    },
  ): Promise<Forward> {
    const kernels = await Forward.compile(device, options.architecture, attention);
    return new Forward(device, options, kernels);
  }

  /** The same before the weights are loaded. */
  static async compile(
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

  /**
   * Makes sure that there are activations for `rows` rows.
   *
   * @throws {AllocationError} If the device has no room for them.
   */
  async reserve(rows: number): Promise<void> {
    if (this.#workspace && this.#workspace.rows >= rows) return;
    let size = FEWEST_ROWS;
    while (size < rows) size *= 4;
    const most = Math.max(rows, Math.ceil(this.#architecture.context / 16) * 16);
    this.#workspace?.destroy();
    this.#workspace = undefined;
    this.#keysValues.forget();
    const workspace = await allocateWorkspace(this.#device, this.#architecture, {
      rows: Math.min(size, most),
    });
    this.#layers = this.bindLayers(workspace);
    this.#sites = new PassSites(workspace, this.#outputs, this.#architecture.channels / 4);
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
      await this.#outputs.reserve(this.#workspace!.rows);
    }
  }

  /** The layers bound to another workspace, for callers that record attention themselves (see patching). */
  bindLayers(workspace: Workspace, rows: GPUBuffer = this.#rows): BoundLayer[] {
    const { qkv } = workspace;
    return this.#weights.layers.map((weights, layer) =>
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
    return this.#weights.layers[layer]!;
  }

  /** Records that the keys and values of a prompt are in `qkv` from row 0 on. */
  bringValues(
    encoder: GPUCommandEncoder,
    prompt: { readonly activations: PromptActivations; readonly ids: readonly number[] },
  ): void {
    this.#keysValues.bring(encoder, this.#workspace!.qkvTexture, prompt);
  }

  /**
   * Records a pass, or some of its layers.
   *
   * @param range The first layer to record, and the one after the last. The beginning of the pass is recorded with its
   *   first layer, and its end with the model's last.
   */
  encode(
    recorder: Recorder,
    pass: ForwardPass,
    range: { readonly first: number; readonly end: number } = {
      first: 0,
      end: this.#architecture.layers,
    },
  ): void {
    const { layers } = this.#architecture;
    const isLast = range.end === layers;
    if (range.first <= pass.firstLayer && (pass.firstLayer < range.end || isLast)) {
      this.#begin(recorder, pass);
    }
    const stop = stopOf(pass, layers);
    for (let layer = Math.max(range.first, pass.firstLayer); layer < range.end; layer++) {
      this.#encodeLayer(recorder, pass, { layer, isWanted: (site) => stop.isBefore(layer, site) });
    }
    if (isLast) this.#end(recorder, pass);
  }

  #encodeLayer(
    recorder: Recorder,
    pass: ForwardPass,
    { layer: index, isWanted }: { layer: number; isWanted: (site: Site) => boolean },
  ): void {
    const layer = this.#layers[index]!;
    const rows = rowsOf(pass);
    const sites = this.#sites!;
    const at = (site: Site): void => sites.record(recorder, pass, { site, layer: index });
    if (!isWanted("RESID_PRE")) return;
    at("RESID_PRE");
    if (!isWanted("Q")) return;
    if (pass.makesPatterns || keepsQkv(pass, index)) {
      // Also in the last layer, whose values no pattern needs but other flow methods do.
      layer.attentionIn(recorder.pass, rows);
      at("Q");
      at("K");
      at("V");
    }
    this.#attention.keepScores(recorder, pass, { index, layer });
    if (pass.makesPatterns) this.#attention.patterns(recorder, pass, { index, layer, sites });
    if (!isWanted("Z")) return;
    this.#attention.mix(recorder, pass, { index, layer });
    at("Z");
    if (!isWanted("ATTN_OUT")) return;
    if (!this.#encodeOutput(recorder, pass, { site: "ATTN_OUT", layer: index })) {
      layer.attentionOut(recorder.pass, rows);
    }
    at("RESID_MID");
    if (!isWanted("MLP_OUT")) return;
    layer.mlpIn(recorder.pass, rows);
    if (!this.#encodeOutput(recorder, pass, { site: "MLP_OUT", layer: index })) {
      layer.mlpOut(recorder.pass, rows);
    }
    at("RESID_POST");
  }

  /** If an output is kept or changed, records it by itself and then its sum with the residual stream. */
  #encodeOutput(
    recorder: Recorder,
    pass: ForwardPass,
    { site, layer }: { readonly site: "ATTN_OUT" | "MLP_OUT"; readonly layer: number },
  ): boolean {
    const isHere = (it: { readonly site: Site; readonly layer: number }): boolean =>
      it.site === site && it.layer === layer;
    if (!pass.keep.some(isHere) && !pass.edits.some(isHere)) return false;
    const { attentionOut, mlpOut } = this.#weights.layers[layer]!;
    const { residual, middle, z, hidden } = this.#workspace!;
    const rows = this.#rows;
    const operands: OutputOperands = site === "ATTN_OUT"
      ? { linear: attentionOut, rows, x: z, before: residual, after: middle }
      : { linear: mlpOut, rows, x: hidden, before: middle, after: residual };
    this.#outputs.make(recorder.pass, operands, rowsOf(pass));
    this.#sites!.record(recorder, pass, { site, layer });
    this.#outputs.add(recorder.pass, operands, rowsOf(pass));
    return true;
  }

  /** Writes the stream before the first layer, and the keys and values of positions that are not computed. */
  #begin(recorder: Recorder, pass: ForwardPass): void {
    const { segments, firstLayer, makesPatterns } = pass;
    const { channels } = this.#architecture;
    const [segment] = segments;
    const { ids, first, base, activations, row } = segment!;
    const rows = rowsOf(pass);
    this.#tellRows(rows, first);
    if (firstLayer === 0) {
      this.#device.queue.writeTexture(
        { texture: this.#workspace!.residualTexture },
        embed(segments, this.#weights, channels),
        { bytesPerRow: channels * Float32Array.BYTES_PER_ELEMENT },
        [channels / 4, rows],
      );
    } else {
      const texture = keptAt(base!, { site: "RESID_PRE", layer: firstLayer });
      recorder.encoder.copyTextureToTexture(
        { texture, origin: [0, first] },
        { texture: this.#workspace!.residualTexture, origin: [0, row] },
        [channels / 4, rows],
      );
      this.#sites!.record(recorder, pass, { site: "RESID_POST", layer: firstLayer - 1 });
    }
    if (!makesPatterns) return this.bringValues(recorder.encoder, { activations, ids });
    if (base && first > 0) {
      this.bringValues(recorder.encoder, { activations: base, ids: ids.slice(0, first) });
    }
    this.#keysValues.forget();
  }

  /** Tells the linears of the rows, if they are others than in the pass before: an upload costs some microseconds. */
  #tellRows(...words: [count: number, first: number]): void {
    if (this.#told.join() === words.join()) return;
    this.#told = words;
    this.#device.queue.writeBuffer(this.#rows, 0, new Uint32Array(words));
  }

  /** Records what every pass keeps: the means over heads, keys and values. */
  #end(recorder: Recorder, pass: ForwardPass): void {
    const { layers } = this.#architecture;
    this.#sites!.record(recorder, pass, { site: "RESID_PRE", layer: layers });
    // Of a pass that ends before, nothing is found by others.
    if (!pass.makesPatterns || pass.endsAtSites) return;
    this.#attention.means(recorder, pass);
    this.#keysValues.leave(recorder.encoder, this.#workspace!.qkvTexture, pass);
  }
}

/** Whether a layer's queries, keys, values or scores are kept at a site. */
function keepsQkv({ keep }: ForwardPass, index: number): boolean {
  return keep.some(({ site, layer }) =>
    layer === index && ["Q", "K", "V", "SCORES"].includes(site)
  );
}
