import { EngineWorker } from "../../src/server/queue/engine_worker.ts";
import type { LoadedModel } from "../../src/server/answers/loaded_model.ts";
import { BUNDLED } from "./fixtures.ts";

const MIB = 2 ** 20;

/** Loads the bundled model in a worker for as long as `use` runs. */
export async function withModel(
  use: (model: LoadedModel) => Promise<void>,
  { cacheBytes = 64 * MIB }: { cacheBytes?: number } = {},
): Promise<void> {
  const engine = await EngineWorker.start({ directories: [BUNDLED], cacheBytes });
  try {
    await use({ name: "bundled", engine });
  } finally {
    await engine.close();
  }
}
