import { openCheckpoint } from "../checkpoints/checkpoint.ts";
import type { Checkpoint } from "../requests/architecture/checkpoint.ts";
import { type EncoderWeights, readEncoderWeights } from "../checkpoints/sae/encoder_weights.ts";
import { openSae } from "../checkpoints/sae/open_sae.ts";
import type { SaeOverrides } from "../checkpoints/sae/parse_sae_config.ts";
import { InfoflowError } from "../errors.ts";
import { checkSaeFits } from "../engine/sae/check_fit.ts";
import { readOutput } from "../engine/sae/read_output.ts";
import { readShift } from "../engine/sae/read_shift.ts";
import type { SaeSource } from "../engine/sae/saes.ts";

/** Where an autoencoder is on disk, and what is known of it beside its files. */
export interface SaeDirectory {
  readonly name: string;
  /** Where its `cfg.json` and `sae_weights.safetensors` are. */
  readonly directory: string;
  readonly overrides?: SaeOverrides | undefined;
}

/**
 * Opens the autoencoders of a model: their headers are checked, and whether they fit; weights are read when they are
 * first needed.
 *
 * @param model The model's directory.
 * @throws {Error} If a file is missing or damaged; the text says which.
 * @throws {RangeError} If one is not read.
 * @throws {InfoflowError} BAD_USER_INPUT if one is of another model.
 */
export async function openSaes(
  model: string,
  { architecture }: Checkpoint,
  directories: readonly SaeDirectory[],
): Promise<SaeSource[]> {
  const sources: SaeSource[] = [];
  for (const { name, directory, overrides } of directories) {
    await using sae = await openSae(directory, overrides);
    const { config } = sae;
    checkSaeFits(name, config, architecture);
    const load: SaeSource["load"] = async () => {
      await using checkpoint = await openCheckpoint(model);
      const shift = await readShift(checkpoint, config);
      const output = config.site === "Z" ? await readOutput(checkpoint, config.layer) : undefined;
      return { weights: await readWeights(name, { directory, overrides }), shift, output };
    };
    sources.push({ name, config, load });
  }
  return sources;
}

/** @throws {InfoflowError} BAD_USER_INPUT if the files can't be read, or hold a number that is not finite. */
async function readWeights(
  name: string,
  { directory, overrides }: Omit<SaeDirectory, "name">,
): Promise<EncoderWeights> {
  try {
    await using files = await openSae(directory, overrides);
    return await readEncoderWeights(files);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new InfoflowError("BAD_USER_INPUT", `Cannot use the autoencoder ${name}: ${reason}`);
  }
}
