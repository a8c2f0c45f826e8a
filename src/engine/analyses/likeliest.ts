import type { Run, RunPrompt } from "../passes/run.ts";
import type { AnalysisContext } from "./analysis.ts";
import type { TopRow } from "./top_row.ts";

/** The k most likely next tokens after a position, by default the last. */
export async function likeliest(
  { architecture, topLogits }: AnalysisContext,
  run: Run,
  { prompt, k, position = prompt.ids.length - 1 }: {
    readonly prompt: RunPrompt;
    readonly k: number;
    readonly position?: number | undefined;
  },
): Promise<TopRow> {
  const end = { prompt, layers: [architecture.layers], positions: [position] };
  return (await topLogits.of(run, end, k))[0]!;
}
