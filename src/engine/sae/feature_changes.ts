import type { Intervention } from "../../requests/interventions/intervention.ts";
import type { Passes, RunOptions } from "../passes/passes.ts";
import type { Run, RunPrompt } from "../passes/run.ts";
import type { Autoencoder } from "./autoencoder.ts";
import { encodePrompt } from "./encode_prompt.ts";
import type { Saes } from "./saes.ts";
import { siteOfSae } from "./site_of_sae.ts";

/** Turns interventions on features into vectors to add, from the features' activations in the unchanged run. */
export class FeatureChanges {
  readonly #device: GPUDevice;
  readonly #saes: Saes;
  readonly #passes: Passes;

  constructor(
    device: GPUDevice,
    { saes, passes }: { readonly saes: Saes; readonly passes: Passes },
  ) {
    this.#device = device;
    this.#saes = saes;
    this.#passes = passes;
  }

  /**
   * The same interventions without features. If an activation is set, the change of the reconstruction is added, so
   * that the reconstruction error stays.
   *
   * @throws {AllocationError} If the device has no room.
   */
  async resolve(
    ids: readonly number[],
    interventions: readonly Intervention[],
    { cache, isWanted }: RunOptions,
  ): Promise<readonly Intervention[]> {
    const features = interventions.flatMap(({ feature }) => feature ?? []);
    if (features.length === 0) return interventions;
    const keep = features.map(({ sae }) => siteOfSae(this.#saes.configOf(sae)));
    return await this.#passes.run(
      [{ ids }],
      { keep, cache, ...(isWanted && { isWanted }) },
      async (run) => {
        const resolved: Intervention[] = [];
        for (const it of interventions) {
          if (it.feature) resolved.push(...await this.#vectorsOf(run, it));
          else resolved.push(it);
        }
        return resolved;
      },
    );
  }

  async #vectorsOf(run: Run, it: Intervention): Promise<Intervention[]> {
    const { feature, factor, ...place } = it;
    const { sae: name, index, amount } = feature!;
    const loaded = await this.#saes.get(name);
    const { sae } = loaded;
    const row = await decoderRow(run, sae, index);
    const along = (times: number): number[] => Array.from(row, (v) => v * times);
    if (it.action === "ADD") {
      // The stored row. For features that compete by their norms, one unit of activation is not one unit along it.
      return [{ ...place, vector: along(amount * (sae.storedNorms?.[index] ?? 1)) }];
    }
    const prompt = run.prompts[0]!;
    const encoded = await encodePrompt(this.#device, run, { prompt, loaded });
    const backs = await run.read({
      result: [{ buffer: encoded.kept.scales, bytes: 16 * prompt.ids.length }],
    });
    const now = activationsOf(encoded, index, prompt);
    const positions = it.positions ?? Array.from(now.keys());
    return positions.flatMap((position): Intervention[] => {
      const before = now[position]!;
      const after = it.action === "SCALE" ? before * factor! : amount;
      const times = (after - before) * backs[4 * position + 1]!;
      if (times === 0) return [];
      return [{ ...place, action: "ADD", positions: [position], vector: along(times) }];
    });
  }
}

/** (T): a feature's activations. */
function activationsOf(
  { positions, features, activations }: Awaited<ReturnType<typeof encodePrompt>>,
  feature: number,
  { ids }: RunPrompt,
): Float32Array {
  const values = new Float32Array(ids.length);
  positions.forEach((position, n) => {
    if (features[n] === feature) values[position] = activations[n]!;
  });
  return values;
}

/** (m): a row of the decoder, read from the device. */
async function decoderRow(
  run: Run,
  { config: { outputs }, decoder }: Autoencoder,
  feature: number,
): Promise<Float32Array> {
  const { buffer, first } = decoder.find(({ end }) => feature < end)!;
  const offset = 4 * outputs * (feature - first);
  return await run.read({ result: [{ buffer, offset, bytes: 4 * outputs }] });
}
