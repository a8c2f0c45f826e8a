import { read } from "../../server/answers/reading.ts";
import type { LoadedModel } from "../../server/answers/loaded_model.ts";
import { InfoflowError } from "../../errors.ts";
import type { StatisticsEngine } from "./head_statistics_job.ts";

/** A model that reads prompts and sums what its heads do with them. */
export function statisticsEngine(model: LoadedModel): StatisticsEngine {
  const { layers, heads, context } = model.engine.info.architecture;
  return {
    sizes: { layers, heads, context },
    read: (row) => {
      if (!("prompt" in row)) throw new InfoflowError("BAD_USER_INPUT", "ids");
      const { prompt, ids, tokens } = read([model], { prompt: row.prompt });
      return { prompt, ids, tokens: tokens.map(({ text }) => text) };
    },
    sum: async (prompts) => {
      const ids = prompts.flat();
      const lengths = prompts.map(({ length }) => length);
      return await model.engine.ask("headStatistics", { ids, lengths });
    },
  };
}
