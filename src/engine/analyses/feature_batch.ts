import { type Answered, splitPrompts } from "../../requests/questions.ts";
import type { FeaturesFound } from "../../requests/sae/feature_questions.ts";
import { keptAt } from "../activations/kept_sites.ts";
import type { KeptFeatures } from "../activations/kept_features.ts";
import { groupPrompts } from "../passes/group_prompts.ts";
import type { Run } from "../passes/run.ts";
import { type ActiveFeatures, LISTED, sortFeatures } from "../sae/active_features.ts";
import { allocateFeatures, MOST_ENCODED } from "../sae/feature_encoder.ts";
import type { LoadedSae } from "../sae/saes.ts";
import { siteOfSae } from "../sae/site_of_sae.ts";
import { Analysis, type AskOptions } from "./analysis.ts";

/** Features of several prompts, whose ids are concatenated, as are the positions. */
export interface FeatureBatchQuestion {
  readonly argument: {
    readonly ids: readonly number[];
    readonly lengths: readonly number[];
    readonly sae: string;
  };
  readonly result: Answered & Omit<FeaturesFound, "norms">;
}

/** Finds the features of many prompts, several in each pass. None is kept in the cache. */
export class FeatureBatchAnalysis extends Analysis<FeatureBatchQuestion> {
  #kept: (KeptFeatures & { readonly positions: number }) | undefined;

  override async ask(
    argument: FeatureBatchQuestion["argument"],
    { isWanted }: Pick<AskOptions, "isWanted">,
  ): Promise<FeatureBatchQuestion["result"]> {
    const { passes, passTokens, saes } = this.context;
    const prompts = splitPrompts(argument);
    const loaded = await saes.get(argument.sae);
    const keep = [siteOfSae(loaded.sae.config)];
    const found: ActiveFeatures[] = [];
    let done = 0;
    for (const group of groupPrompts(prompts, { tokens: passTokens, prompts: MOST_ENCODED })) {
      const requests = group.map((ids) => ({ ids }));
      const part = await passes.run(
        requests,
        { keep, cache: "none", endsAtSites: true, isWanted },
        (run) => this.#encode(run, loaded),
      );
      const start = done;
      found.push({ ...part, positions: part.positions.map((position) => start + position) });
      done += group.reduce((sum, { length }) => sum + length, 0);
    }
    return {
      positions: joined(Int32Array, found.map(({ positions }) => positions)),
      features: joined(Int32Array, found.map(({ features }) => features)),
      activations: joined(Float32Array, found.map(({ activations }) => activations)),
      cacheHit: false,
    };
  }

  async #encode(run: Run, { sae, encoder }: LoadedSae): Promise<ActiveFeatures> {
    const { device } = this.context;
    const rows = run.prompts.reduce((sum, { ids }) => sum + ids.length, 0);
    await encoder.reserve(rows);
    const parts = run.prompts.map(({ activations, ids }) => {
      const x = keptAt(activations, siteOfSae(sae.config)).createView();
      return { x, first: 0, rows: ids.length };
    });
    let room = encoder.roomFor(rows);
    for (;;) {
      const kept = await this.#listFor(device, { activations: room, positions: rows });
      const bytes = 4 * LISTED * room;
      const numbers = await run.read({
        encode: ({ pass }) => encoder.encodeTogether(pass, parts, kept),
        result: [{ buffer: encoder.found, bytes: 16 }, { buffer: kept.buffer, bytes }],
      });
      const words = new Uint32Array(numbers.buffer);
      const count = words[0]!;
      if (count <= room) return sortFeatures(words.slice(4, 4 + count * LISTED), rows);
      room = count;
    }
  }

  /** A list with the given room, which is reused. */
  async #listFor(
    device: GPUDevice,
    size: { readonly activations: number; readonly positions: number },
  ): Promise<KeptFeatures> {
    const fits = this.#kept && this.#kept.buffer.size >= 4 * LISTED * size.activations &&
      this.#kept.positions >= size.positions;
    if (fits) return this.#kept!;
    this.#kept?.buffer.destroy();
    this.#kept?.scales.destroy();
    this.#kept = undefined;
    this.#kept = { ...await allocateFeatures(device, size), positions: size.positions };
    return this.#kept;
  }
}

function joined<T extends Int32Array<ArrayBuffer> | Float32Array<ArrayBuffer>>(
  type: new (length: number) => T,
  parts: readonly T[],
): T {
  const all = new type(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
