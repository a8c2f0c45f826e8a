import type { Intervention } from "../../requests/interventions/intervention.ts";
import type { Answered } from "../../requests/questions.ts";
import { keptAt, residualSites, siteKey, type SiteOfLayer } from "../activations/kept_sites.ts";
import { patternsOf } from "../activations/prompt_activations.ts";
import { GrowingBuffer } from "../gpu/growing_buffer.ts";
import { indexGroup } from "../gpu/index_uniform.ts";
import { HeadParts } from "../kernels/head_parts.ts";
import type { Run } from "../passes/run.ts";
import { type AnalysisContext, RunAnalysis } from "./analysis.ts";
import { likeliest } from "./likeliest.ts";

/** A part of a logit. */
export interface LogitPart {
  readonly kind: "EMBEDDING" | "HEAD" | "ATTENTION_BIAS" | "INTERVENTION" | "MLP" | "FINAL_BIAS";
  /** Null for a part that belongs to no layer. */
  readonly layer: number | null;
  /** Null for a part that is not a head's. */
  readonly head: number | null;
  readonly value: number;
  /** The same minus its mean over the vocabulary. */
  readonly centred: number;
}

/**
 * The parts of a token's logit after a position, by default the last; by default of the most likely token. With
 * `against`, the parts of its logit minus that of another token.
 */
export interface AttributionQuestion {
  readonly argument: {
    readonly ids: readonly number[];
    readonly token: number | undefined;
    readonly against?: number | undefined;
    readonly position?: number | undefined;
    readonly interventions?: readonly Intervention[] | undefined;
  };
  readonly result: Answered & { readonly token: number; readonly parts: readonly LogitPart[] };
}

/** The logit that is taken apart. */
interface LogitOf {
  readonly token: number;
  /** The token whose logit is subtracted. */
  readonly against: number | undefined;
  readonly position: number;
  /** The run's interventions. */
  readonly interventions: readonly Intervention[];
}

/** Splits a logit, or the difference of two, into what each layer and head adds to it. */
export class AttributionAnalysis extends RunAnalysis<AttributionQuestion> {
  override readonly sharesPass = true;
  readonly #directions: GPUBuffer;
  readonly #parts: GrowingBuffer;
  #meanToken: Float64Array | undefined;

  constructor(context: AnalysisContext) {
    super(context);
    this.#directions = context.device.createBuffer({
      label: "directions",
      size: 2 * 4 * context.architecture.channels,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST,
    });
    this.#parts = new GrowingBuffer(context.device, "parts of a logit");
  }

  protected override async read(
    run: Run,
    argument: AttributionQuestion["argument"],
  ): Promise<Omit<AttributionQuestion["result"], "cacheHit">> {
    const { ids, against, position = ids.length - 1, interventions = [] } = argument;
    const prompt = run.prompts[0]!;
    const token = argument.token ??
      (await likeliest(this.context, run, { prompt, k: 1, position })).ids[0]!;
    return { token, parts: await this.#partsOf(run, { token, against, position, interventions }) };
  }

  /**
   * The parts of the logit, which sum to it. The final layer norm has the scale of the whole stream, so that every part
   * is a scalar product with the token's direction.
   */
  async #partsOf(run: Run, of: LogitOf): Promise<LogitPart[]> {
    const { layers, heads, channels: C } = this.context.architecture;
    const { position } = of;
    const rows = await this.#rowsAt(run, position);
    const row = (site: SiteOfLayer["site"], layer: number): Float32Array =>
      rows.get(siteKey({ site, layer }))!;
    const { plain, centred, bias, centredBias } = this.#directionsOf(
      of,
      row("RESID_PRE", layers),
    );
    const numbers = await this.#headParts(run, { directions: [plain, centred], position });
    const along = (x: Float32Array, minus?: Float32Array): { value: number; centred: number } => {
      const part = { value: 0, centred: 0 };
      for (let c = 0; c < C; c++) {
        const v = x[c]! - (minus?.[c] ?? 0);
        part.value += v * plain[c]!;
        part.centred += v * centred[c]!;
      }
      return part;
    };
    const parts: LogitPart[] = [
      { kind: "EMBEDDING", layer: null, head: null, ...along(row("RESID_PRE", 0)) },
    ];
    for (let layer = 0; layer < layers; layer++) {
      for (let head = 0; head <= heads; head++) {
        const at = 2 * (layer * (heads + 1) + head);
        const part = { value: numbers[at]!, centred: numbers[at + 1]! };
        parts.push(
          head < heads
            ? { kind: "HEAD", layer, head, ...part }
            : { kind: "ATTENTION_BIAS", layer, head: null, ...part },
        );
      }
      if (of.interventions.some((it) => isAfterHeads(it, layer))) {
        const attention = along(row("RESID_MID", layer), row("RESID_PRE", layer));
        const others = parts.slice(-heads - 1);
        parts.push({
          kind: "INTERVENTION",
          layer,
          head: null,
          value: attention.value - others.reduce((sum, { value }) => sum + value, 0),
          centred: attention.centred - others.reduce((sum, { centred }) => sum + centred, 0),
        });
      }
      const mlp = along(row("RESID_POST", layer), row("RESID_MID", layer));
      parts.push({ kind: "MLP", layer, head: null, ...mlp });
    }
    const final = { value: bias, centred: centredBias };
    parts.push({ kind: "FINAL_BIAS", layer: null, head: null, ...final });
    return parts;
  }

  /** The residual stream at a position, (C) for each site. */
  async #rowsAt(run: Run, position: number): Promise<ReadonlyMap<string, Float32Array>> {
    const { layers, channels: C } = this.context.architecture;
    const { activations } = run.prompts[0]!;
    const sites = residualSites(layers);
    const numbers = await run.read({
      result: sites.map((site) => {
        return { texture: keptAt(activations, site), row: position, bytes: 4 * C };
      }),
    });
    return new Map(
      sites.map((site, at) => [siteKey(site), numbers.subarray(at * C, (at + 1) * C)]),
    );
  }

  /**
   * The gradient of the logit with respect to the stream's end, its layer norm's scale frozen, and the same minus the
   * mean over the vocabulary. In a difference of logits the mean cancels out.
   */
  #directionsOf({ token, against }: LogitOf, end: Float32Array): {
    plain: Float64Array;
    centred: Float64Array;
    bias: number;
    centredBias: number;
  } {
    const { architecture: { channels: C, epsilon }, weights } = this.context;
    const { unembedding, finalNorm: { gainOnHost: gain, biasOnHost } } = weights;
    let mean = 0;
    for (const v of end) mean += v / C;
    let variance = 0;
    for (const v of end) variance += (v - mean) ** 2 / C;
    const scale = 1 / Math.sqrt(variance + epsilon);
    const meanToken = this.#meanToken ??= meanRow(unembedding, C);
    const rowOf = (id: number): Float32Array => unembedding.subarray(id * C, (id + 1) * C);
    const other = against === undefined ? undefined : rowOf(against);
    const of = Float64Array.from(rowOf(token), (v, c) => v - (other?.[c] ?? 0));
    const less = other ? of : of.map((v, c) => v - meanToken[c]!);
    const direction = (row: Float64Array): Float64Array => {
      const along = row.map((v, c) => v * gain[c]! * scale);
      const average = along.reduce((a, b) => a + b) / C;
      return along.map((v) => v - average);
    };
    const dot = (row: Float64Array): number =>
      row.reduce((sum, v, c) => sum + v * biasOnHost[c]!, 0);
    return {
      plain: direction(of),
      centred: direction(less),
      bias: dot(of),
      centredBias: dot(less),
    };
  }

  /** (L, H + 1, 2) */
  async #headParts(
    run: Run,
    { directions, position }: {
      readonly directions: readonly [Float64Array, Float64Array];
      readonly position: number;
    },
  ): Promise<Float32Array> {
    const { device, forward, architecture } = this.context;
    const { layers, heads } = architecture;
    const prompt = run.prompts[0]!;
    const { ids, activations } = prompt;
    const kernel = await HeadParts.create(device, architecture);
    const matrices = await this.context.outputMatrices();
    await forward.reserve(ids.length);
    const bytes = layers * (heads + 1) * 2 * Float32Array.BYTES_PER_ELEMENT;
    const parts = await this.#parts.atLeast(bytes);
    device.queue.writeBuffer(
      this.#directions,
      0,
      Float32Array.from([...directions[0], ...directions[1]]),
    );
    return await run.read({
      // The kernel reads the last of `tokens` tokens.
      fields: [{ prompt, tokens: position + 1 }],
      result: [{ buffer: parts, bytes }],
      encode: (recorder, [bound]) => {
        forward.bringValues(recorder.encoder, { activations, ids });
        for (let layer = 0; layer < layers; layer++) {
          const operands = kernel.bind({
            directions: this.#directions,
            qkv: forward.qkv(layer),
            w: matrices.view(layer),
            b: forward.layerWeights(layer).attentionOut.b,
            parts,
          });
          const { buffer, offset } = patternsOf(activations, layer);
          const patterns = kernel.bind({ patterns: { buffer, size: activations.layerBytes } });
          const index = indexGroup(device, layer);
          kernel.dispatch(recorder.pass, [[operands], bound!, [patterns, offset], index]);
        }
      },
    });
  }
}

/** Whether an intervention changes a layer's attention output after its patterns and values. */
function isAfterHeads({ site, layer, action, positions }: Intervention, of: number): boolean {
  if (layer !== of) return false;
  if (site === "Z") return action !== "ZERO" || positions !== undefined; // else heads have no values
  return site === "ATTN_OUT" || site === "RESID_MID";
}

/** The mean over the rows of a table. */
function meanRow(table: Float32Array, width: number): Float64Array {
  const sums = new Float64Array(width);
  const rows = table.length / width;
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < width; c++) sums[c]! += table[row * width + c]!;
  }
  return sums.map((sum) => sum / rows);
}
