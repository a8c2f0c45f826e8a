import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { FeaturePart } from "../../requests/sae/feature_questions.ts";
import type { KeptFeatures } from "../activations/kept_features.ts";
import { keptAt } from "../activations/kept_sites.ts";
import { patternsOf } from "../activations/prompt_activations.ts";
import { GrowingBuffer } from "../gpu/growing_buffer.ts";
import { StructUniform } from "../gpu/struct_uniform.ts";
import { FEATURE_FLOW_MEMBERS, FeatureFlow } from "../kernels/feature_flow.ts";
import { FEATURE_REACH_MEMBERS, FeatureReach } from "../kernels/feature_reach.ts";
import { FEATURE_SOURCES_MEMBERS, FeatureSources } from "../kernels/feature_sources.ts";
import { SAE_COLUMN_MEMBERS, SaeColumn } from "../kernels/sae_column.ts";
import type { Forward } from "../model/forward.ts";
import type { OutputMatrices } from "../model/output_matrices.ts";
import type { Weights } from "../model/weights.ts";
import type { Run, RunPrompt } from "../passes/run.ts";
import type { Autoencoder } from "./autoencoder.ts";
import { inputSteps } from "./feature_encoder.ts";
import { sitesBelowSae, writersOfSae } from "./site_of_sae.ts";

/** The feature, the prompt and the targets of a flow. */
export interface FlowOfFeature {
  readonly prompt: RunPrompt;
  readonly sae: Autoencoder;
  /** The prompt's active features, whose scales are used. */
  readonly kept: KeptFeatures;
  readonly feature: number;
  /** All targets by default. */
  readonly target: number | undefined;
}

/** Where a feature's pre-activations came from. */
export interface FeatureSourcesFound {
  /** (layers, R, T), or (H, R, T) for Z. */
  readonly matrix: Float32Array<ArrayBuffer>;
  /** The matrix's first layer, and its number of layers or heads. */
  readonly firstLayer: number;
  readonly count: number;
  /** (R) each. Together with the matrix's rows they sum to the pre-activation. */
  readonly parts: readonly FeaturePart[];
}

/** What the computation of flows to features uses. */
export interface FeatureFlowContext {
  readonly device: GPUDevice;
  readonly architecture: Architecture;
  readonly weights: Pick<Weights, "wte" | "wpe">;
  readonly forward: Forward;
  readonly outputMatrices: () => Promise<OutputMatrices>;
}

type Words<Members extends readonly string[]> = Record<Members[number], number>;

/** Splits features' pre-activations by source, from cached patterns, values and streams. */
export class FeatureFlows {
  readonly #context: FeatureFlowContext;
  readonly #column: GrowingBuffer;
  readonly #reach: GrowingBuffer;
  readonly #sources: GrowingBuffer;
  readonly #flow: GrowingBuffer;
  readonly #nothing: GPUBuffer;
  readonly #columns: StructUniform<typeof SAE_COLUMN_MEMBERS[number]>;
  readonly #reaches: StructUniform<typeof FEATURE_REACH_MEMBERS[number]>;
  readonly #layers: StructUniform<typeof FEATURE_SOURCES_MEMBERS[number]>;
  readonly #flows: StructUniform<typeof FEATURE_FLOW_MEMBERS[number]>;

  constructor(context: FeatureFlowContext) {
    const { device, architecture: { layers, channels } } = this.#context = context;
    this.#column = new GrowingBuffer(device, "direction of a feature");
    this.#reach = new GrowingBuffer(device, "reach of a feature");
    this.#sources = new GrowingBuffer(device, "sources of a feature");
    this.#flow = new GrowingBuffer(device, "flow to a feature");
    const usage = GPUBufferUsage.STORAGE;
    this.#nothing = device.createBuffer({ label: "zeros", size: 4 * channels, usage });
    const structs = <Member extends string>(
      label: string,
      members: readonly Member[],
      most: number,
    ): StructUniform<Member> => new StructUniform(device, { label, members, most });
    this.#columns = structs("feature", SAE_COLUMN_MEMBERS, 1);
    this.#reaches = structs("rows along a feature", FEATURE_REACH_MEMBERS, 3 * layers + 1);
    this.#layers = structs("sources of a feature", FEATURE_SOURCES_MEMBERS, layers);
    this.#flows = structs("flows to a feature", FEATURE_FLOW_MEMBERS, layers);
  }

  /**
   * Splits one feature's pre-activations, with one readback. Layer norms are frozen: every part has the scale of the
   * whole.
   *
   * @throws {AllocationError} If the device has no room.
   */
  async of(run: Run, asked: FlowOfFeature): Promise<FeatureSourcesFound> {
    const { prompt, sae, kept, feature, target } = asked;
    const { config } = sae;
    const { device, architecture, weights, forward } = this.#context;
    const { channels: C, heads: H, epsilon } = architecture;
    const { ids, activations } = prompt;
    const T = ids.length;
    const [first, rows] = target === undefined ? [0, T] : [target, 1];
    const isZ = config.site === "Z";
    const writers = writersOfSae(config);
    const isStream = config.site.startsWith("RESID");
    const firstLayer = isStream ? 0 : config.layer;
    const layers = writers.attention - firstLayer;
    const below = isStream ? sitesBelowSae(config) : [];

    const { centred } = inputSteps(config, epsilon);
    const column = await SaeColumn.create(device, { channels: C, centred: centred && !isZ });
    const reach = await FeatureReach.create(device, architecture);
    const sources = await FeatureSources.create(device, architecture);
    const flow = await FeatureFlow.create(device, { heads: H, byHead: isZ });
    const matrices = isZ ? undefined : await this.#context.outputMatrices();
    await forward.reserve(T);

    const stride = C + 4; // of a layer's reach: whole vec4s
    const along = layers * stride;
    const count = isZ ? H : layers;
    const w = await this.#column.atLeast(4 * (C + 4));
    const reached = await this.#reach.atLeast(4 * (along + below.length * (T + 1)));
    const added = await this.#sources.atLeast(4 * H * T);
    const size = 4 * count * rows * T;
    const flowed = await this.#flow.atLeast(Math.max(size, 4));

    const block = sae.encoder.find(({ end }) => feature < end)!;
    const { pitch } = block;
    this.#columns.write([{ feature, column: feature - block.first, pitch }]);
    const reaches: Words<typeof FEATURE_REACH_MEMBERS>[] = [];
    if (!isZ) {
      for (let n = 0; n < layers; n++) reaches.push({ rows: C, first: n * stride });
      below.forEach((_, n) => reaches.push({ rows: T, first: along + n * (T + 1) }));
      if (reaches.length > 0) this.#reaches.write(reaches);
    }
    const each = Array.from({ length: layers }, (_, n) => n);
    if (layers > 0) {
      this.#layers.write(each.map((n) => ({ tokens: T, first: isZ ? 0 : n * stride / 4 })));
      this.#flows.write(each.map((n) => {
        return { tokens: T, stride: activations.stride, first, rows, result: n * rows * T };
      }));
    }

    const numbers = await run.read({
      result: [
        { buffer: w, bytes: 4 * (C + 4) },
        { buffer: kept.scales, bytes: 16 * T },
        { buffer: reached, bytes: isZ ? 4 : Math.max(4, 4 * (along + below.length * (T + 1))) },
        { buffer: flowed, bytes: Math.max(size, 4) },
      ],
      encode: (recorder) => {
        forward.bringValues(recorder.encoder, { activations, ids });
        const { pass } = recorder;
        const operands = column.bind({
          encoder: block.texture.createView(),
          bias: sae.inputBias,
          decisions: sae.decisions,
          w,
        });
        column.dispatch(pass, [[operands], this.#columns.at(0)]);
        if (!isZ) {
          for (const n of each) {
            const { b } = forward.layerWeights(firstLayer + n).attentionOut;
            const group = reach.bind({
              matrix: matrices!.view(firstLayer + n),
              b,
              w,
              reach: reached,
            });
            reach.dispatch(pass, [[group], this.#reaches.at(n)], { rows: C });
          }
          below.forEach((site, n) => {
            const matrix = keptAt(activations, site).createView();
            const group = reach.bind({ matrix, b: this.#nothing, w, reach: reached });
            reach.dispatch(pass, [[group], this.#reaches.at(layers + n)], { rows: T });
          });
        }
        const { scales } = kept;
        for (const n of each) {
          const layer = firstLayer + n;
          const values = sources.bind({
            qkv: forward.qkv(layer),
            reach: isZ ? w : reached,
            shift: isZ ? sae.shift : this.#nothing,
            sources: added,
          });
          sources.dispatch(pass, [[values], this.#layers.at(n)], { tokens: T });
          const { buffer, offset } = patternsOf(activations, layer);
          const patterns = flow.bind({ patterns: { buffer, size: activations.layerBytes } });
          const group = flow.bind({ sources: added, scales, flow: flowed });
          const groups = [[group], [patterns, offset], this.#flows.at(n)] as const;
          flow.dispatch(pass, groups, { tokens: T, rows });
        }
      },
    });

    let at = 0;
    const take = (length: number): Float32Array<ArrayBuffer> => numbers.subarray(at, at += length);
    const direction = take(C);
    const constant = take(4)[0]!;
    const scaleOf = take(4 * T);
    const reachOf = take(isZ ? 1 : Math.max(1, along + below.length * (T + 1)));
    const matrix = numbers.slice(at, at + count * rows * T);
    const parts: FeaturePart[] = [];
    const part = (
      kind: FeaturePart["kind"],
      layer: number | null,
      value: (position: number, scale: number) => number,
    ): void => {
      const values = Float32Array.from({ length: rows }, (_, n) => {
        const position = first + n;
        return value(position, scaleOf[4 * position]!);
      });
      parts.push({ kind, layer, values });
    };
    if (isStream) {
      const { wte, wpe } = weights;
      const dot = (table: Float32Array, row: number): number => {
        let sum = 0;
        for (let c = 0; c < C; c++) sum += table[row * C + c]! * direction[c]!;
        return sum;
      };
      part("EMBEDDING", null, (position, scale) => dot(wte, ids[position]!) * scale);
      part("POSITION", null, (position, scale) => dot(wpe, position) * scale);
    }
    const alongSite = (site: string, layer: number, position: number): number => {
      const n = below.findIndex((it) => it.site === site && it.layer === layer);
      return reachOf[along + n * (T + 1) + position]!;
    };
    if (!isZ) {
      for (const n of each) {
        const bias = reachOf[n * stride + C]!;
        part("ATTENTION_BIAS", firstLayer + n, (_, scale) => bias * scale);
      }
    }
    if (isStream) {
      for (let layer = 0; layer < writers.mlp; layer++) {
        part("MLP", layer, (position, scale) => {
          const after = alongSite("RESID_PRE", layer + 1, position);
          return (after - alongSite("RESID_MID", layer, position)) * scale;
        });
      }
    }
    part("BIAS", null, () => constant);
    return { matrix, firstLayer, count, parts };
  }
}
