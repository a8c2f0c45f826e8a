import type { RecordBatch } from "apache-arrow";
import { join } from "node:path";
import { readIfThere } from "../../../files.ts";
import type { Manifest } from "../../output/manifest.ts";
import { writeParquet } from "../../output/write_parquet.ts";
import { partFile } from "../../run/job.ts";
import { type ExamplePrompt, examplesTable } from "../statistics_table.ts";
import { countFeatures } from "./count_features.ts";
import { FeatureCursor } from "./feature_cursor.ts";
import { type FeatureDashboard, featuresTable } from "./features_table.ts";
import { readLabels } from "./labels.ts";
import { LargestTokens } from "./largest_tokens.ts";
import { type ListedDashboard, listTable } from "./list_table.ts";
import { readPrompts } from "./read_prompts.ts";
import type { StoredFeatures } from "./stored_features.ts";
import { readTables } from "./tables_file.ts";
import { FeatureTally } from "./tally.ts";

/** Examples of each group of sizes. */
const EACH_GROUP = 5;
/** Rows of a row group of the features: what a page reads at once, and what is in memory while they are made. */
const GROUP_ROWS = 256;
/** The same of the list, which is read whole. */
const LIST_ROWS = 1024;

/**
 * Makes `features.parquet` of a run's parts, a row for each feature, `examples.parquet`, the prompts that its examples are
 * of, and `list.parquet`, what a list of all features needs. The parts' activations are read twice: to count, then feature
 * by feature. What is in memory depends on how many features there are, and not on how many tokens.
 */
export async function finishDashboards(
  directory: string,
  manifest: Manifest,
): Promise<readonly string[]> {
  const parts = manifest.parts.toSorted((a, b) => a.part - b.part);
  const stored: StoredFeatures[] = [];
  for (const { part } of parts) {
    const text = await readIfThere(join(directory, partFile("features", part, "json")));
    stored.push(JSON.parse(text!) as StoredFeatures);
  }
  const { features } = stored[0]!;
  const longest = stored.reduce((most, it) => Math.max(most, it.longest), 1);
  const positions = stored.reduce((sum, it) => sum + it.positions, 0);
  const paths = parts.flatMap(({ files }) =>
    Object.keys(files).filter((name) => name.startsWith("activations-")).sort()
      .map((name) => join(directory, name))
  );
  const counted = await countFeatures(paths, { features, longest });
  const { name, model, options, rows } = manifest;
  const { top, onePerPrompt } = options as { readonly top: number; readonly onePerPrompt: boolean };
  const { sample } = counted.together;
  const metadata = { name, version: 2, model, options, rows, positions, togetherSample: sample };
  const isWanted = new Uint8Array(rows);
  const labels = await readLabels(directory);
  const tables = join(directory, partFile("tables", 0, "parquet"));
  const tokens = new LargestTokens(features, top);
  const summary = (feature: number): Omit<ListedDashboard, "promoted" | "tokens"> => {
    const count = counted.counts[feature]!;
    return {
      feature,
      label: labels.get(feature) ?? null,
      count,
      density: positions > 0 ? count / positions : 0,
      max: counted.largest[feature]!,
      mean: count > 0 ? counted.sums[feature]! / count : 0,
    };
  };

  async function* dashboards(): AsyncGenerator<RecordBatch> {
    const cursor = await FeatureCursor.open(paths);
    const { counts, largest, together } = counted;
    let group: FeatureDashboard[] = [];
    let feature = -1;
    for await (const said of readTables(tables)) {
      feature++;
      const tally = new FeatureTally(feature, largest[feature]!, {
        top,
        eachGroup: EACH_GROUP,
        onePerPrompt,
      });
      await cursor.of(feature, (...place) => tally.add(...place));
      const examples = tally.examples();
      for (const { prompt } of examples) isWanted[prompt] = 1;
      tokens.add(feature, examples);
      group.push({
        ...summary(feature),
        histogram: tally.histogram,
        ...said,
        together: together.of(feature, counts),
        examples,
      });
      if (group.length < GROUP_ROWS && feature < features - 1) continue;
      yield featuresTable(group, metadata).batch;
      group = [];
    }
  }
  const { schema } = featuresTable([], metadata);
  await writeParquet(join(directory, "features.parquet"), schema, dashboards(), GROUP_ROWS);

  async function* examples(): AsyncGenerator<RecordBatch> {
    let group: ExamplePrompt[] = [];
    for (const { part } of parts) {
      const path = join(directory, partFile("prompts", part, "parquet"));
      for await (const prompt of readPrompts(path)) {
        if (!isWanted[prompt.row]) continue;
        tokens.read(prompt);
        if (group.push(prompt) < GROUP_ROWS) continue;
        yield examplesTable(group, metadata).batch;
        group = [];
      }
    }
    if (group.length > 0) yield examplesTable(group, metadata).batch;
  }
  const of = examplesTable([], metadata);
  await writeParquet(join(directory, "examples.parquet"), of.schema, examples(), GROUP_ROWS);

  async function* list(): AsyncGenerator<RecordBatch> {
    let group: ListedDashboard[] = [];
    let feature = -1;
    for await (const { promoted } of readTables(tables)) {
      feature++;
      group.push({ ...summary(feature), promoted, tokens: tokens.of(feature) });
      if (group.length < LIST_ROWS && feature < features - 1) continue;
      yield listTable(group, metadata).batch;
      group = [];
    }
  }
  const listed = listTable([], metadata).schema;
  await writeParquet(join(directory, "list.parquet"), listed, list(), LIST_ROWS);
  return ["examples.parquet", "features.parquet", "list.parquet"];
}
