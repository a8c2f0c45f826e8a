import type { LoadedModel } from "../../server/answers/loaded_model.ts";
import { readBy } from "../../server/answers/reading.ts";
import type { StatisticsEngine } from "./head_statistics_job.ts";

/** A model that reads prompts and sums what its heads do with them. */
export function statisticsEngine(model: LoadedModel): StatisticsEngine {
  const { layers, heads, context } = model.engine.info.architecture;
  return {
    sizes: { layers, heads, context },
    read: (row) => {
      const { prompt, ids, tokens } = readBy(model, row);
      return { prompt, ids, tokens: tokens.map(({ text }) => text) };
    },
    sum: async (prompts) => {
      const ids = prompts.flat();
      const lengths = prompts.map(({ length }) => length);
      return await model.engine.ask("headStatistics", { ids, lengths });
    },
    patterns: async (ids, { layer, heads }) => {
      const options = { byHead: true, bos: "KEEP", layers: [layer], heads } as const;
      return (await model.engine.flow(ids, options)).flow;
    },
  };
}
