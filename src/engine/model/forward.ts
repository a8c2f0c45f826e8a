import { AttentionPattern } from "../kernels/attention_pattern.ts";
import { HeadMean } from "../kernels/head_mean.ts";
import { MixValues } from "../kernels/mix_values.ts";
import { Norm } from "../kernels/norm.ts";
import { indexGroup } from "../gpu/index_uniform.ts";
import type { BoundGroup } from "../gpu/kernel.ts";
import { makeUniform } from "../gpu/uniform.ts";
import { SilenceHead } from "../kernels/silence_head.ts";
import type { PatternEntry } from "../activations/prompt_activations.ts";
import { rowStart, VEC4 } from "../activations/packed_triangles.ts";
import { streamIndex, type StreamPlace } from "../activations/residual_stream.ts";
import type { Head } from "../../requests/flow_options.ts";
import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { LayerWeights, LinearLayer, NormWeights, Weights } from "./weights.ts";
import { allocateWorkspace, type Workspace } from "./workspace.ts";

/** A prompt of a pass. */
export interface Segment {
  readonly ids: readonly number[];
  readonly entry: PatternEntry;
  /** The first position to compute; patterns of those before are in the entry. */
  readonly first: number;
  /** The entry that has the keys and values of those before. */
  readonly base: PatternEntry | undefined;
  /** The row of position 0 in `qkv`. */
  readonly slot: number;
  /** The row of position `first` in the other activations. */
  readonly row: number;
  /** What tells kernels of it. */
  readonly prompt: BoundGroup;
}

/** A pass that leaves the residual stream in the entry. */
export interface StreamPass {
  /** Streams, patterns, keys and values of the layers before are in the entry. */
  readonly firstLayer: number;
  /** Whether the patterns are made too, or are there. */
  readonly withPatterns: boolean;
  /** Heads that are to mix nothing. */
  readonly ablate: readonly Head[];
}

/** The kernels of a model, compiled for its sizes. */
interface Kernels {
  readonly norm: Norm;
  readonly attentionPattern: AttentionPattern;
  readonly mixValues: MixValues;
  readonly headMean: HeadMean;
  readonly silenceHead: SilenceHead;
}

/** What the kernels of one layer are bound to, in the order of their use. */
interface Layer {
  readonly norm1: GPUBindGroup;
  readonly attentionIn: GPUBindGroup;
  readonly attentionPattern: GPUBindGroup;
  readonly silenceHead: GPUBindGroup;
  readonly mixValues: GPUBindGroup;
  readonly attentionOut: GPUBindGroup;
  readonly norm2: GPUBindGroup;
  readonly mlpIn: GPUBindGroup;
  readonly mlpOut: GPUBindGroup;
}

/** What the kernels that write and read an entry are bound to, for each of its slabs. */
interface EntryGroups {
  readonly written: GPUBindGroup;
  readonly mixed: GPUBindGroup;
  readonly averaged: GPUBindGroup;
}

/** The fewest rows that activations are made for; they grow fourfold. */
const FEWEST_ROWS = 64;

/** GPT-2's forward pass, as far as the attention pattern of its last layer; or to its end, where streams are kept. */
export class Forward {
  readonly #device: GPUDevice;
  readonly #architecture: Architecture;
  readonly #weights: Weights;
  readonly #kernels: Kernels;
  /** `struct Rows` of the shaders: how many there are, and where the first is placed in `qkv`. */
  readonly #rows: GPUBuffer;
  /** The scale of each layer's scores. */
  readonly #scales: readonly GPUBuffer[];
  readonly #entryGroups = new WeakMap<PatternEntry, readonly EntryGroups[]>();
  #workspace: Workspace | undefined;
  #layers: readonly Layer[] = [];
  /** The tokens whose keys and values are in rows 0 and on of `qkv`. */
  #resident: readonly number[] = [];

  private constructor(
    device: GPUDevice,
    { architecture, weights }: { architecture: Architecture; weights: Weights },
    kernels: Kernels,
  ) {
    this.#device = device;
    this.#architecture = architecture;
    this.#weights = weights;
    this.#kernels = kernels;
    this.#rows = makeUniform(device, "rows of the pass", new Uint32Array(2));
    this.#scales = architecture.scales.map((scale, layer) =>
      makeUniform(device, `scale of layer ${layer}`, new Float32Array([scale]))
    );
  }

  /** Compiles the kernels that are a model's own. */
  static async create(
    device: GPUDevice,
    options: { architecture: Architecture; weights: Weights },
  ): Promise<Forward> {
    const { heads, channels, epsilon } = options.architecture;
    return new Forward(device, options, {
      norm: await Norm.create(device, { channels, epsilon }),
      attentionPattern: await AttentionPattern.create(device, { heads, channels }),
      mixValues: await MixValues.create(device, { heads, channels }),
      headMean: await HeadMean.create(device, { heads }),
      silenceHead: await SilenceHead.create(device, { heads, channels }),
    });
  }

  /**
   * Makes sure that there are activations for so many rows.
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
    this.#resident = [];
    const workspace = await allocateWorkspace(
      this.#device,
      this.#architecture,
      Math.min(size, most),
    );
    this.#layers = this.#weights.layers.map((weights, index) =>
      this.#bindLayer(workspace, weights, index)
    );
    this.#workspace = workspace;
  }

  /**
   * Puts the embeddings of the rows to compute into the residual stream, x[t] = wte[id_t] + wpe[t], and sees to it that
   * the keys and values before them are in `qkv`.
   */
  begin(encoder: GPUCommandEncoder, segments: readonly Segment[]): void {
    const { queue } = this.#device;
    const rows = segments.reduce((sum, { ids, first }) => sum + ids.length - first, 0);
    const [segment] = segments;
    queue.writeBuffer(this.#rows, 0, new Uint32Array([rows, segment!.first]));
    this.#embed(segments, rows);
    const { base, ids, first } = segment!;
    if (base) this.#bringKeysValues(encoder, base, ids.slice(0, first));
    this.#resident = [];
  }

  /** The same for a pass that leaves streams; where it begins at a later layer, `base` has the streams before. */
  beginStreams(encoder: GPUCommandEncoder, segment: Segment, pass: StreamPass): void {
    const { ids, first, entry, base } = segment;
    const { firstLayer, withPatterns } = pass;
    if (firstLayer === 0 && withPatterns) return this.begin(encoder, [segment]);
    const rows = ids.length - first;
    this.#device.queue.writeBuffer(this.#rows, 0, new Uint32Array([rows, first]));
    if (firstLayer === 0) {
      this.#embed([segment], rows);
    } else {
      const { texture } = base!.streams!;
      encoder.copyTextureToTexture(
        { texture, origin: [0, first, streamIndex(firstLayer, "before")] },
        { texture: this.#workspace!.residualTexture, origin: [0, segment.row] },
        [this.#architecture.channels / 4, rows],
      );
    }
    if (!withPatterns) this.bringValues(encoder, entry, ids);
    else this.#resident = [];
  }

  /** Sees to it that the keys and values of an entry's prompt, or its beginning, are in `qkv` from row 0 on. */
  bringValues(encoder: GPUCommandEncoder, entry: PatternEntry, ids: readonly number[]): void {
    this.#bringKeysValues(encoder, entry, ids);
    this.#resident = entry.variant === "" ? ids : [];
  }

  /** (T, 3C) of a layer. It is another one after {@linkcode reserve}. */
  qkv(layer: number): GPUTextureView {
    return this.#workspace!.qkv[layer]!;
  }

  /** What computes a layer's linears. */
  layerWeights(layer: number): LayerWeights {
    return this.#weights.layers[layer]!;
  }

  /**
   * Records the pass, or some of its layers; every layer writes its slice of the segments' entries.
   *
   * @param range The first layer to record, and the one after the last; what follows the layers is recorded with the last.
   */
  encode(
    pass: GPUComputePassEncoder,
    segments: readonly Segment[],
    range: { readonly first: number; readonly end: number } = {
      first: 0,
      end: this.#architecture.layers,
    },
  ): void {
    const { layers } = this.#architecture;
    const { norm, attentionPattern, mixValues } = this.#kernels;
    const rows = segments.reduce((sum, { ids, first }) => sum + ids.length - first, 0);
    for (let index = range.first; index < range.end; index++) {
      const layer = this.#layers[index]!;
      const weights = this.#weights.layers[index]!;
      const isLast = index === layers - 1;
      norm.dispatch(pass, [[layer.norm1]], { rows });
      // With the values of the last layer, which no pattern needs: other measures of flow do, later.
      weights.attentionIn.w.dispatch(pass, layer.attentionIn, { rows });
      for (const { ids, first, prompt, entry } of segments) {
        const { written, mixed, offset } = this.#slice(entry, index);
        const targets = ids.length - first;
        attentionPattern.dispatch(
          pass,
          [[layer.attentionPattern], prompt, [written, offset]],
          { targets },
        );
        if (isLast) continue;
        mixValues.dispatch(pass, [[layer.mixValues], prompt, [mixed, offset]], { targets });
      }
      if (isLast) break;
      weights.attentionOut.w.dispatch(pass, layer.attentionOut, { rows });
      norm.dispatch(pass, [[layer.norm2]], { rows });
      weights.mlpIn.w.dispatch(pass, layer.mlpIn, { rows });
      weights.mlpOut.w.dispatch(pass, layer.mlpOut, { rows });
    }
    if (range.end < layers) return;
    for (const segment of segments) this.#encodeMeans(pass, segment);
  }

  /**
   * Records a pass of one prompt that leaves the residual stream of every layer in the entry, from `first` on. What it
   * begins with is there: see {@linkcode beginStreams}.
   */
  encodeStreams(encoder: GPUCommandEncoder, segment: Segment, pass: StreamPass): void {
    const { layers } = this.#architecture;
    const { norm, mixValues } = this.#kernels;
    const { ids, first, entry, prompt } = segment;
    const rows = ids.length - first;
    for (let index = pass.firstLayer; index < layers; index++) {
      const layer = this.#layers[index]!;
      const weights = this.#weights.layers[index]!;
      this.#keepStream(encoder, segment, { index, place: "before" });
      let recorder = encoder.beginComputePass({ label: `attention of layer ${index}` });
      if (pass.withPatterns) this.#encodePattern(recorder, segment, { index, ablate: pass.ablate });
      const { mixed, offset } = this.#slice(entry, index);
      mixValues.dispatch(recorder, [[layer.mixValues], prompt, [mixed, offset]], {
        targets: rows,
      });
      weights.attentionOut.w.dispatch(recorder, layer.attentionOut, { rows });
      recorder.end();
      this.#keepStream(encoder, segment, { index, place: "middle" });
      recorder = encoder.beginComputePass({ label: `MLP of layer ${index}` });
      norm.dispatch(recorder, [[layer.norm2]], { rows });
      weights.mlpIn.w.dispatch(recorder, layer.mlpIn, { rows });
      weights.mlpOut.w.dispatch(recorder, layer.mlpOut, { rows });
      recorder.end();
    }
    this.#keepStream(encoder, segment, { index: layers, place: "before" });
    if (!pass.withPatterns) return;
    const recorder = encoder.beginComputePass({ label: "means over heads" });
    this.#encodeMeans(recorder, segment);
    recorder.end();
  }

  #encodePattern(
    recorder: GPUComputePassEncoder,
    { ids, first, entry, prompt }: Segment,
    { index, ablate }: { index: number; ablate: readonly Head[] },
  ): void {
    const { norm, attentionPattern, silenceHead } = this.#kernels;
    const layer = this.#layers[index]!;
    const rows = ids.length - first;
    norm.dispatch(recorder, [[layer.norm1]], { rows });
    this.#weights.layers[index]!.attentionIn.w.dispatch(recorder, layer.attentionIn, { rows });
    for (const { head } of ablate.filter((it) => it.layer === index)) {
      silenceHead.dispatch(
        recorder,
        [[layer.silenceHead], prompt, indexGroup(this.#device, head)],
        { tokens: ids.length },
      );
    }
    const { written, offset } = this.#slice(entry, index);
    const groups = [[layer.attentionPattern], prompt, [written, offset]] as const;
    attentionPattern.dispatch(recorder, groups, { targets: rows });
  }

  #keepStream(
    encoder: GPUCommandEncoder,
    { ids, first, entry, row }: Segment,
    { index, place }: { index: number; place: StreamPlace },
  ): void {
    const { residualTexture, middleTexture } = this.#workspace!;
    const texture = place === "before" ? residualTexture : middleTexture;
    encoder.copyTextureToTexture(
      { texture, origin: [0, row] },
      { texture: entry.streams!.texture, origin: [0, first, streamIndex(index, place)] },
      [this.#architecture.channels / 4, ids.length - first],
    );
  }

  /** Records what else is kept of a pass: keys and values, for prompts that go on from here. */
  end(encoder: GPUCommandEncoder, segments: readonly Segment[], firstLayer = 0): void {
    const { channels, layers } = this.#architecture;
    const texture = this.#workspace!.qkvTexture;
    for (const { ids, first, slot, entry, base } of segments) {
      const { keysValues: buffer, rowBytes: bytesPerRow, capacity: rowsPerImage } = entry;
      const missing = base === entry ? first : 0;
      const offset = (firstLayer * rowsPerImage + missing) * bytesPerRow;
      encoder.copyTextureToBuffer(
        { texture, origin: [channels / 4, slot + missing, firstLayer] },
        { buffer, offset, bytesPerRow, rowsPerImage },
        [channels / 2, ids.length - missing, layers - firstLayer],
      );
    }
    // Values of heads that are switched off are nobody else's.
    const isPlain = segments.length === 1 && segments[0]!.entry.variant === "";
    this.#resident = isPlain ? segments[0]!.ids : [];
  }

  #embed(segments: readonly Segment[], rows: number): void {
    const { wte, wpe } = this.#weights;
    const { channels } = this.#architecture;
    const x = new Float32Array(rows * channels);
    for (const { ids, first, row } of segments) {
      for (let t = first; t < ids.length; t++) {
        const [at, token, position] = [row + t - first, ids[t]!, t].map((it) => it * channels);
        for (let c = 0; c < channels; c++) x[at! + c] = wte[token! + c]! + wpe[position! + c]!;
      }
    }
    this.#device.queue.writeTexture(
      { texture: this.#workspace!.residualTexture },
      x,
      { bytesPerRow: channels * Float32Array.BYTES_PER_ELEMENT },
      [channels / 4, rows],
    );
  }

  #bringKeysValues(
    encoder: GPUCommandEncoder,
    entry: PatternEntry,
    ids: readonly number[],
  ): void {
    if (entry.variant === "" && startsWith(this.#resident, ids, ids.length)) return;
    const { channels, layers } = this.#architecture;
    const { keysValues: buffer, rowBytes: bytesPerRow, capacity: rowsPerImage } = entry;
    encoder.copyBufferToTexture(
      { buffer, bytesPerRow, rowsPerImage },
      { texture: this.#workspace!.qkvTexture, origin: [channels / 4, 0] },
      [channels / 2, ids.length, layers],
    );
  }

  #encodeMeans(pass: GPUComputePassEncoder, { entry, first, prompt }: Segment): void {
    const length = entry.stride - rowStart(first);
    const groups = this.#groupsOf(entry);
    entry.slabs.forEach(({ layers }, slab) =>
      this.#kernels.headMean.dispatch(pass, [[groups[slab]!.averaged], prompt], { length, layers })
    );
  }

  #slice(entry: PatternEntry, layer: number): EntryGroups & { readonly offset: number } {
    const slab = entry.slabs.findLastIndex(({ firstLayer }) => firstLayer <= layer);
    const offset = (layer - entry.slabs[slab]!.firstLayer) * entry.layerBytes;
    return { ...this.#groupsOf(entry)[slab]!, offset };
  }

  #groupsOf(entry: PatternEntry): readonly EntryGroups[] {
    const known = this.#entryGroups.get(entry);
    if (known) return known;
    const { attentionPattern, mixValues, headMean } = this.#kernels;
    const { layerBytes, stride, mean } = entry;
    const groups = entry.slabs.map(({ buffer, firstLayer }) => ({
      written: attentionPattern.bind({ patterns: { buffer, size: layerBytes } }),
      mixed: mixValues.bind({ patterns: { buffer, size: layerBytes } }),
      averaged: headMean.bind({
        patterns: buffer,
        mean: { buffer: mean, offset: firstLayer * stride * VEC4 },
      }),
    }));
    this.#entryGroups.set(entry, groups);
    return groups;
  }

  #bindLayer(workspace: Workspace, weights: LayerWeights, index: number): Layer {
    const { norm, attentionPattern, silenceHead, mixValues } = this.#kernels;
    const { residual, middle, normed, z, hidden } = workspace;
    const qkv = workspace.qkv[index]!;
    const rows = this.#rows;
    const bindNorm = (x: GPUTextureView, { gain, bias }: NormWeights): GPUBindGroup =>
      norm.bind({ x, gain, bias, y: normed });
    const bindLinear = (
      x: GPUTextureView,
      { w, b }: LinearLayer,
      to: { residual: GPUTextureView; y: GPUTextureView },
    ): GPUBindGroup => w.bind({ rows, x, b, ...to });
    return {
      norm1: bindNorm(residual, weights.norm1),
      attentionIn: bindLinear(normed, weights.attentionIn, { residual, y: qkv }),
      attentionPattern: attentionPattern.bind({ layer: this.#scales[index]!, qkv }),
      silenceHead: silenceHead.bind({ qkv }),
      mixValues: mixValues.bind({ qkv, z }),
      attentionOut: bindLinear(z, weights.attentionOut, { residual, y: middle }),
      norm2: bindNorm(middle, weights.norm2),
      mlpIn: bindLinear(normed, weights.mlpIn, { residual, y: hidden }),
      mlpOut: bindLinear(hidden, weights.mlpOut, { residual: middle, y: residual }),
    };
  }
}

/** Whether two prompts have at least their first `count` tokens in common. */
function startsWith(a: readonly number[], b: readonly number[], count: number): boolean {
  if (a.length < count) return false;
  for (let i = 0; i < count; i++) if (a[i] !== b[i]) return false;
  return true;
}
