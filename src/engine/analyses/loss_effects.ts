import type { Head } from "../../requests/flow_options.ts";
import type { Intervention } from "../../requests/interventions/intervention.ts";
import type { Answered } from "../../requests/questions.ts";
import { keptAt, type SiteOfLayer } from "../activations/kept_sites.ts";
import { allocateTexture } from "../gpu/allocate.ts";
import type { Run } from "../passes/run.ts";
import { encodePrompt } from "../sae/encode_prompt.ts";
import type { LoadedSae } from "../sae/saes.ts";
import { siteOfSae } from "../sae/site_of_sae.ts";
import { RunAnalysis } from "./analysis.ts";
import { lossOf } from "./losses.ts";

/** Rows of the stream whose logits are computed between two readbacks. */
const ROWS = 1024;

/**
 * The next token's loss without what a feature writes at a position, minus the loss as it is, for each feature and
 * position.
 */
export interface LossEffectsQuestion {
  readonly argument: {
    readonly ids: readonly number[];
    readonly sae: string;
    readonly positions: readonly number[];
    readonly features: readonly number[];
    readonly ablate?: readonly Head[] | undefined;
    readonly interventions?: readonly Intervention[] | undefined;
  };
  /** In nats, above 0 where the feature helps; NaN at the last position, which has no next token. */
  readonly result: Answered & { readonly effects: Float32Array<ArrayBuffer> };
}

/**
 * Subtracts a feature's activation times its decoder row from the stream after the last layer, and recomputes the final
 * layer norm, its scale included, the unembedding and the softmax. What later layers made of the feature stays.
 */
export class LossEffectsAnalysis extends RunAnalysis<LossEffectsQuestion> {
  /** @throws {InfoflowError} BAD_USER_INPUT if there is no such autoencoder. */
  override keepFor({ sae }: LossEffectsQuestion["argument"]): readonly SiteOfLayer[] {
    return [siteOfSae(this.context.saes.configOf(sae)), this.#end];
  }

  /** The stream after the last layer. */
  get #end(): SiteOfLayer {
    return { site: "RESID_PRE", layer: this.context.architecture.layers };
  }

  protected override async read(
    run: Run,
    { sae, positions, features }: LossEffectsQuestion["argument"],
  ): Promise<Omit<LossEffectsQuestion["result"], "cacheHit">> {
    const { architecture: { channels: C }, device, saes } = this.context;
    const loaded = await saes.get(sae);
    const prompt = run.prompts[0]!;
    const { ids } = prompt;
    const encoded = await encodePrompt(device, run, { prompt, loaded });
    const activations = new Map<string, number>();
    encoded.positions.forEach((position, n) =>
      activations.set(`${position}/${encoded.features[n]}`, encoded.activations[n]!)
    );
    const scales = await run.read({
      result: [{ buffer: encoded.kept.scales, bytes: 16 * ids.length }],
    });
    const ends = await this.#ends(run);
    const written = await this.#written(run, loaded, [...new Set(features)]);

    const asked = positions.keys().filter((n) => positions[n]! < ids.length - 1).toArray();
    const plain = [...new Set(asked.map((n) => positions[n]!))];
    const rows = new Float32Array((plain.length + asked.length) * C);
    const nexts: number[] = [];
    const end = (position: number): Float32Array => ends.subarray(position * C, (position + 1) * C);
    for (const position of plain) {
      rows.set(end(position), nexts.length * C);
      nexts.push(ids[position + 1]!);
    }
    for (const n of asked) {
      const position = positions[n]!;
      const feature = features[n]!;
      const back = scales[4 * position + 1]!;
      const times = (activations.get(`${position}/${feature}`) ?? 0) * back;
      const row = rows.subarray(nexts.length * C, (nexts.length + 1) * C);
      const along = written.get(feature)!;
      end(position).forEach((v, c) => row[c] = v - times * along[c]!);
      nexts.push(ids[position + 1]!);
    }
    const losses = await this.#losses(run, rows, nexts);
    const before = new Map(plain.map((position, row) => [position, losses[row]!]));
    const effects = new Float32Array(positions.length).fill(NaN);
    asked.forEach((n, row) =>
      effects[n] = losses[plain.length + row]! - before.get(positions[n]!)!
    );
    return { effects };
  }

  /** (T, C): the stream after the last layer. */
  async #ends(run: Run): Promise<Float32Array> {
    const { ids, activations } = run.prompts[0]!;
    const texture = keptAt(activations, this.#end);
    const bytes = 4 * this.context.architecture.channels;
    return await run.read({ result: ids.map((_, row) => ({ texture, row, bytes })) });
  }

  /** (C) for each feature: what one unit of it adds to the stream. */
  async #written(
    run: Run,
    { sae: { config: { outputs: m }, decoder }, output }: LoadedSae,
    features: readonly number[],
  ): Promise<ReadonlyMap<number, Float32Array>> {
    const { channels: C } = this.context.architecture;
    if (features.length === 0) return new Map();
    const bytes = 4 * m;
    const numbers = await run.read({
      result: features.map((feature) => {
        const { buffer, first } = decoder.find(({ end }) => feature < end)!;
        return { buffer, offset: bytes * (feature - first), bytes };
      }),
    });
    return new Map(features.map((feature, n) => {
      const row = numbers.subarray(n * m, (n + 1) * m);
      if (!output) return [feature, row];
      // Heads write through W_O.
      const through = new Float64Array(C);
      row.forEach((value, k) => {
        if (value === 0) return;
        for (let c = 0; c < C; c++) through[c]! += value * output[k * C + c]!;
      });
      return [feature, Float32Array.from(through)];
    }));
  }

  /** (R): of rows of the stream, (R, C), the loss of a token each. */
  async #losses(
    run: Run,
    rows: Float32Array<ArrayBuffer>,
    tokens: readonly number[],
  ): Promise<Float64Array> {
    const { architecture: { channels: C }, device } = this.context;
    const losses = new Float64Array(tokens.length);
    const height = Math.min(ROWS, tokens.length);
    if (height === 0) return losses;
    const size = { label: "rows without a feature", width: C / 4, height };
    const texture = await allocateTexture(device, size);
    try {
      for (let first = 0; first < tokens.length; first += ROWS) {
        const count = Math.min(ROWS, tokens.length - first);
        const part = rows.subarray(first * C, (first + count) * C);
        device.queue.writeTexture({ texture }, part, { bytesPerRow: 4 * C }, [C / 4, count]);
        const totals = await this.context.topLogits.totals(run, { texture, row: 0, rows: count });
        totals.forEach((total, n) => {
          const row = part.subarray(n * C, (n + 1) * C);
          losses[first + n] = lossOf(this.context, { row, token: tokens[first + n]!, total });
        });
      }
      return losses;
    } finally {
      texture.destroy();
    }
  }
}
