import { hubCache } from "../../checkpoints/hub/environment.ts";
import { locateModel, type Location } from "../../checkpoints/hub/locate_model.ts";
import { ensureIntact, readSnapshot } from "../../checkpoints/hub/snapshot.ts";
import { VerifiedFiles } from "../../checkpoints/hub/verified.ts";
import { readTokenizer } from "../../checkpoints/read_tokenizer.ts";
import type { TokenizerChoice } from "../../tokens/tokenizer_of.ts";
import type { LoadedModel } from "../answers/loaded_model.ts";
import { LongTexts } from "../answers/long_texts.ts";
import { Helper } from "../helper/helper.ts";
import { GPT2_TOKENIZER } from "../../tokens/tokenizer.ts";
import { EngineWorker, type EngineWorkerOptions } from "../queue/engine_worker.ts";
import { ModelClient } from "../queue/model_client.ts";
import { findDashboards } from "./find_dashboards.ts";
import { saesOfModels } from "./saes_of_models.ts";

/** Options for loading models. */
export interface LoadOptions
  extends Omit<EngineWorkerOptions, "directories" | "onProgress" | "saes" | "tuning"> {
  /** The user's names or directories of models; none for the default. */
  readonly asked: readonly string[];
  /** Autoencoders, as {@linkcode saesOfModels} takes them. */
  readonly saes?: readonly string[] | undefined;
  /** What `deno task dashboards` wrote to. */
  readonly dashboards?: readonly string[] | undefined;
  /** Where the choice of kernels is kept, and whether it is made again. */
  readonly tuning?: EngineWorkerOptions["tuning"];
  /** The file that remembers which files have been checked. */
  readonly verifiedFile?: string | undefined;
  readonly progress?: LoadProgress | undefined;
  /** Told when the engine's thread has been told what to load. */
  readonly onBegin?: () => void;
}

/** Called with the progress of loading, in bytes. */
export interface LoadProgress {
  /** A model's files are compared with their hashes. */
  checking(name: string, done: number, total: number): void;
  /** A model goes to the device. */
  loading(name: string, done: number, total: number): void;
  /** All are checked, or all are loaded, or it went wrong. */
  stop(): void;
}

/** Models in the requested order, and their worker. */
export interface LoadedModels {
  readonly models: readonly LoadedModel[];
  readonly worker: EngineWorker;
  readonly helper: Helper;
}

const SILENT: LoadProgress = { checking: () => {}, loading: () => {}, stop: () => {} };

/**
 * Loads models onto one device, with the queue in front of it.
 *
 * @throws {Error} If there is no such model, or it can't be run.
 */
export async function loadModels(options: LoadOptions): Promise<LoadedModels> {
  const { asked, saes = [], dashboards = [], verifiedFile, progress = SILENT, ...others } = options;
  const { onBegin = () => {}, ...engines } = others;
  const locations: Location[] = [];
  const choices: TokenizerChoice[] = [];
  try {
    for (const name of asked.length > 0 ? asked : [undefined]) {
      const location = await locateModel(name, cacheIfAny());
      await check(location, verifiedFile, progress);
      choices.push(await readTokenizer(location.directory, location.isKnown));
      locations.push(location);
    }
    progress.stop();
    checkNames(locations);
    const ofModels = await saesOfModels(locations, saes, {
      cache: cacheIfAny(),
      verified: new VerifiedFiles(verifiedFile),
    });
    const found = await Promise.all(ofModels.map((own) => findDashboards(own, dashboards)));
    const starting = EngineWorker.start({
      ...engines,
      directories: locations.map(({ directory }) => directory),
      saes: ofModels,
      onProgress: (done, total, model) => progress.loading(locations[model]!.name, done, total),
    });
    onBegin();
    const worker = await starting;
    const helper = new Helper();
    const models = locations.map(({ name, ...place }, index) => {
      const choice = choices[index]!;
      const longTexts = new LongTexts(choice.tokenizer ?? GPT2_TOKENIZER, place, helper);
      return {
        name,
        engine: new ModelClient(worker, index),
        isFurther: index > 0,
        dashboards: found[index]!,
        ...choice,
        tokenizer: longTexts.tokenizer,
        longTexts,
        helper,
      };
    });
    return { models, worker, helper };
  } finally {
    progress.stop();
  }
}

/** @throws {Error} If two models have one name. */
function checkNames(locations: readonly Location[]): void {
  const names = locations.map(({ name }) => name);
  const twice = locations.find(({ name }, index) => names.indexOf(name) !== index);
  if (!twice) return;
  throw new Error(
    `Cannot serve two models as ${twice.name}: give one another name with --model NAME=${twice.directory}`,
  );
}

/** The hub's cache; a user without a home has none, and needs none for what comes with the project. */
function cacheIfAny(): string | undefined {
  try {
    return hubCache();
  } catch {
    return undefined;
  }
}

/** Checks the hashes of cached files, which Python's huggingface_hub does not compare. */
async function check(
  { name, directory, isCached }: Location,
  verifiedFile: string | undefined,
  progress: LoadProgress,
): Promise<void> {
  if (!isCached) return;
  const { files } = await readSnapshot(directory);
  const total = files.reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  await ensureIntact(name, directory, {
    verified: new VerifiedFiles(verifiedFile),
    onProgress: (bytes) => progress.checking(name, done += bytes, total),
  });
}
