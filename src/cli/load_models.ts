import { EngineWorker } from "../server/queue/engine_worker.ts";
import { OneOfSeveral } from "../server/queue/one_of_several.ts";
import type { LoadedModel } from "../server/answers/loaded_model.ts";
import { readArchitecture, readBosId } from "../checkpoints/checkpoint.ts";
import { hubCache } from "../checkpoints/hub/environment.ts";
import { ensureIntact, readSnapshot } from "../checkpoints/hub/snapshot.ts";
import { VerifiedFiles } from "../checkpoints/hub/verified.ts";
import { locateModel, type Location } from "../checkpoints/hub/locate_model.ts";
import type { Tokenizer } from "../tokens/tokenizer.ts";
import { tokenizerOf } from "../tokens/tokenizer_of.ts";
import { showBytesBar } from "./bytes_bar.ts";
import { showLoadBar } from "./load_bar.ts";
import { ownFile } from "./own_file.ts";

/** Which models to load, and how. */
export interface LoadOptions {
  /** What the user asked for, names or directories; none for the one that is there. */
  readonly asked: readonly string[];
  /** Bytes that cached patterns may take. */
  readonly cacheBytes: number;
  /** Requests that may wait for the engine. */
  readonly mostWaiting?: number | undefined;
  /** Whether to choose the kernels for this adapter again. */
  readonly tune?: boolean;
  /** Told what happens to the engine later on. */
  readonly onNews?: (news: string) => void;
}

/** Models in the order that they were asked for, and what runs them. */
export interface LoadedModels {
  readonly models: readonly LoadedModel[];
  readonly worker: EngineWorker;
}

/**
 * Loads models for a command, onto one device, with a progress bar.
 *
 * @throws {Error} If there is no such model, or it can't be run.
 */
export async function loadModels(options: LoadOptions): Promise<LoadedModels> {
  const { asked, cacheBytes, mostWaiting, tune: redo, onNews } = options;
  const locations: Location[] = [];
  const tokenizers: Tokenizer[] = [];
  for (const name of asked.length > 0 ? asked : [undefined]) {
    const location = await locateModel(name, cacheIfAny());
    await check(location);
    tokenizers.push(await readTokenizer(location));
    locations.push(location);
  }
  const bar = showLoadBar(locations.map(({ name }) => name));
  try {
    const worker = await EngineWorker.start({
      directories: locations.map(({ directory }) => directory),
      cacheBytes,
      mostWaiting,
      tuning: { file: ownFile("tuning.json"), redo },
      onProgress: bar.onProgress,
      ...(onNews && { onNews }),
    });
    const models = locations.map(({ name }, index) => ({
      name,
      engine: new OneOfSeveral(worker, index),
      isFurther: index > 0,
      tokenizer: tokenizers[index]!,
    }));
    return { models, worker };
  } finally {
    bar.stop();
  }
}

/** @throws {RangeError} If prompts can't be read for the model. */
async function readTokenizer({ directory }: Location): Promise<Tokenizer> {
  const { vocabulary } = await readArchitecture(directory);
  return await tokenizerOf(directory, { vocabulary, bosId: await readBosId(directory) });
}

/** The hub's cache; a user without a home has none, and needs none for what comes with the project. */
function cacheIfAny(): string | undefined {
  try {
    return hubCache();
  } catch {
    return undefined;
  }
}

/** Checks files that others may have downloaded: Python's huggingface_hub does not compare hashes. */
async function check({ name, directory, isCached }: Location): Promise<void> {
  if (!isCached) return;
  const { files } = await readSnapshot(directory);
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const bar = showBytesBar(`checking ${name}`);
  let done = 0;
  try {
    await ensureIntact(name, directory, {
      verified: new VerifiedFiles(ownFile("verified.json")),
      onProgress: (bytes) => bar.onProgress(done += bytes, total),
    });
  } finally {
    bar.stop();
  }
}
