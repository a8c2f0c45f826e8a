import { openCheckpoint } from "../checkpoints/checkpoint.ts";
import { KnownFingerprints } from "../checkpoints/known_fingerprints.ts";
import { Engine } from "../engine/engine.ts";
import type { EngineOptions } from "../engine/engine_parts.ts";
import { openSaes, type SaeDirectory } from "./open_saes.ts";
import { choicesIn, type TuningFile } from "./tuning_file.ts";

/** How to make an engine of files. */
export interface EngineFiles
  extends Omit<EngineOptions, "checkpoint" | "saes" | "tuning" | "freeMemory"> {
  /** Where `config.json` and `model.safetensors` are. */
  readonly directory: string;
  readonly saes?: readonly SaeDirectory[] | undefined;
  readonly tuning?: TuningFile | undefined;
  /** Where fingerprints of models are kept; every start hashes all weights without it. */
  readonly fingerprintsFile?: string | undefined;
}

/**
 * Opens a model's files and makes an engine of them.
 *
 * @throws As `openCheckpoint`, `openSaes` and {@linkcode Engine.create} do.
 */
export async function createEngine(options: EngineFiles): Promise<Engine> {
  const { directory, saes = [], tuning: { file, redo } = {}, fingerprintsFile, ...others } =
    options;
  const known = new KnownFingerprints(fingerprintsFile);
  await using checkpoint = await openCheckpoint(directory, known);
  return await Engine.create({
    ...others,
    checkpoint,
    saes: await openSaes(directory, checkpoint, saes),
    tuning: { kept: file === undefined ? undefined : choicesIn(file), redo },
    freeMemory: freeMemory(),
  });
}

/** Bytes of memory that are free on the machine, if this process may ask. */
function freeMemory(): number | undefined {
  try {
    return Deno.systemMemoryInfo().available;
  } catch {
    return undefined; // needs --allow-sys=systemMemoryInfo
  }
}
