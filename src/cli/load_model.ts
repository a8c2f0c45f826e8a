import { EngineWorker } from "../engine/engine_worker.ts";
import type { LoadedModel } from "../infoflow.ts";
import { readArchitecture } from "../model/checkpoint.ts";
import { locateModel } from "../model/locate.ts";
import { VOCABULARY } from "../tokens/vocabulary.ts";
import { showLoadBar } from "./load_bar.ts";
import { tuningFile } from "./tuning_file.ts";

/** Which model to load, and how. */
export interface LoadOptions {
  /** What the user asked for, a name or a directory. */
  readonly asked: string | undefined;
  /** Bytes that cached patterns may take. */
  readonly cacheBytes: number;
  /** Whether to choose the kernels for this adapter again. */
  readonly tune?: boolean;
  /** Told what happens to the engine later on. */
  readonly onNews?: (news: string) => void;
}

/**
 * Loads a model for a command, with a progress bar.
 *
 * @throws {Error} If there is no such model, or it can't be run.
 */
export async function loadModel(options: LoadOptions): Promise<LoadedModel> {
  const { asked, cacheBytes, tune: redo, onNews } = options;
  const { name, directory } = await locateModel(asked);
  const { vocabulary } = await readArchitecture(directory);
  if (vocabulary !== VOCABULARY) {
    throw new RangeError(
      `Cannot run ${name} as prompts are read with GPT-2's vocabulary of ${
        VOCABULARY.toLocaleString("en")
      } tokens: its config.json has ${vocabulary.toLocaleString("en")}`,
    );
  }
  const bar = showLoadBar(name);
  try {
    const { onProgress } = bar;
    const engine = await EngineWorker.start({
      directory,
      cacheBytes,
      tuning: { file: tuningFile(), redo },
      onProgress,
      ...(onNews && { onNews }),
    });
    return { name, engine };
  } finally {
    bar.stop();
  }
}
