import type { Location } from "../../checkpoints/hub/locate_model.ts";
import {
  bundledSaes,
  ensureSaeIntact,
  locateSae,
  type SaeLocation,
} from "../../checkpoints/hub/locate_sae.ts";
import type { VerifiedFiles } from "../../checkpoints/hub/verified.ts";

/**
 * Finds the autoencoders of each model; the bundled one has its own without being asked.
 *
 * @param asked `NAME`, `DIR` or `NAME=DIR`, with `MODEL:` in front for another than the first model's.
 * @param options.cache The hub's cache; without one nothing is in it.
 * @throws {Error} If one isn't there or not whole, or two of a model have the same name.
 */
export async function saesOfModels(
  models: readonly Location[],
  asked: readonly string[],
  { cache, verified }: { readonly cache: string | undefined; readonly verified: VerifiedFiles },
): Promise<readonly (readonly SaeLocation[])[]> {
  const saes = await Promise.all(
    models.map(({ name }) => name === "bundled" ? bundledSaes() : Promise.resolve([])),
  );
  for (const text of asked) {
    const model = models.findIndex(({ name }) => text.startsWith(`${name}:`));
    const own = saes[Math.max(model, 0)]!;
    const sae = model < 0 ? text : text.slice(models[model]!.name.length + 1);
    if (own.some(({ name }) => name === sae)) continue;
    const found = await locateSae(sae, cache);
    await ensureSaeIntact(found, verified);
    const known = own.find(({ name }) => name === found.name);
    if (!known) own.push(found);
    else if (known.directory !== found.directory) {
      throw new Error(
        `Cannot serve two autoencoders as ${found.name}: give one another name with --sae NAME=${found.directory}`,
      );
    }
  }
  return saes;
}
