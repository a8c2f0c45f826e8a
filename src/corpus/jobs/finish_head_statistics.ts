import { join } from "node:path";
import {
  PartialStatistics,
  type StoredPartial,
} from "../../requests/head_statistics/partial_statistics.ts";
import { finishStatistics } from "../../requests/head_statistics/statistics.ts";
import type { Manifest } from "../output/manifest.ts";
import { writeParquet } from "../output/write_parquet.ts";
import { partFile } from "../run/job.ts";
import { type ExamplePrompt, examplesTable, statisticsTable } from "./statistics_table.ts";

/** The stored data of a part: its sums, and the prompts of its examples. */
export interface StoredPart {
  readonly statistics: StoredPartial;
  readonly prompts: readonly ExamplePrompt[];
}

/**
 * Adds up the parts of a run.
 *
 * @returns All sums, and the prompts that examples are of, by their rows.
 */
export async function readStatistics(
  directory: string,
  { parts }: Pick<Manifest, "parts">,
): Promise<{ readonly statistics: PartialStatistics; readonly prompts: readonly ExamplePrompt[] }> {
  let all: PartialStatistics | undefined;
  const prompts = new Map<number, ExamplePrompt>();
  for (const { part } of parts) {
    const path = join(directory, partFile("statistics", part, "json"));
    const stored = JSON.parse(await Deno.readTextFile(path)) as StoredPart;
    const partial = PartialStatistics.fromJSON(stored.statistics);
    if (all) all.merge(partial);
    else all = partial;
    for (const prompt of stored.prompts) prompts.set(prompt.row, prompt);
    const kept = new Set(all.exampleRows);
    for (const row of prompts.keys()) if (!kept.has(row)) prompts.delete(row);
  }
  if (!all) throw new RangeError("Cannot add up the parts of a run that has none");
  return { statistics: all, prompts: [...prompts.values()].sort((a, b) => a.row - b.row) };
}

/**
 * Writes `head-statistics.parquet`, a row for each head, and `examples.parquet`, the prompts that its examples are of.
 */
export async function finishHeadStatistics(
  directory: string,
  manifest: Manifest,
): Promise<readonly string[]> {
  const { statistics: all, prompts } = await readStatistics(directory, manifest);
  const { name, options, model, rows } = manifest;
  const metadata = { name, options, model, rows, prompts: all.prompts, targets: all.targets };
  const headvis = options.definition === "headvis";
  const statistics = statisticsTable(finishStatistics(all), metadata, { headvis });
  const examples = examplesTable(prompts, metadata);
  const files = [["examples.parquet", examples], ["head-statistics.parquet", statistics]] as const;
  for (const [file, { schema, batch }] of files) {
    await writeParquet(join(directory, file), schema, [batch]);
  }
  return files.map(([file]) => file);
}
