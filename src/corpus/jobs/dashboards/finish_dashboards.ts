import { join } from "node:path";
import { readIfThere } from "../../../files.ts";
import type { Manifest } from "../../output/manifest.ts";
import { writeParquet } from "../../output/write_parquet.ts";
import { partFile } from "../../run/job.ts";
import { type ExamplePrompt, examplesTable } from "../statistics_table.ts";
import type { StoredFeatures } from "./stored_features.ts";
import { type FeatureDashboard, featuresTable } from "./features_table.ts";
import { readFeatureRows } from "./feature_rows.ts";
import { readPrompts } from "./read_prompts.ts";
import { binOf, BINS, FeatureTally, GROUPS, GroupSamples, type Place } from "./tally.ts";
import { Together } from "./together.ts";

/** Examples of each group of sizes. */
const EACH_GROUP = 5;
/** Rows of a row group of the features: what a page reads at once. */
const GROUP_ROWS = 256;

/**
 * Makes `features.parquet` of a run's parts, a row for each feature, and `examples.parquet`, the prompts that its examples
 * are of. The parts are read three times from the disk, and
 * memory is bounded by the number of features: counts and the largest first, then what depends on these, then what else
 * of a feature is on in its examples.
 */
export async function finishDashboards(
  directory: string,
  manifest: Manifest,
): Promise<readonly string[]> {
  const stored: StoredFeatures[] = [];
  for (const { part } of manifest.parts) {
    const text = await readIfThere(join(directory, partFile("features", part, "json")));
    stored.push(JSON.parse(text!) as StoredFeatures);
  }
  const [{ features, tables }] = stored as [StoredFeatures];
  const options = manifest.options as { readonly top: number; readonly onePerPrompt: boolean };
  const positions = stored.reduce((sum, it) => sum + it.positions, 0);
  const each = async (take: (feature: number, place: Place) => void): Promise<void> => {
    for (const { part } of manifest.parts) {
      const path = join(directory, partFile("activations", part, "parquet"));
      await readFeatureRows(
        path,
        (feature, prompt, position, activation) => take(feature, { prompt, position, activation }),
      );
    }
  };

  const tally = new FeatureTally(features, options);
  await each((feature, place) => tally.add(feature, place));
  const histograms = Array.from({ length: features }, () => new Array<number>(BINS).fill(0));
  const samples = new GroupSamples(tally.largest, EACH_GROUP);
  const together = new Together(features);
  await each((feature, place) => {
    histograms[feature]![binOf(place.activation, tally.largest[feature]!)]!++;
    samples.add(feature, place);
    together.add(feature, place);
  });
  const traces = new Map<string, { positions: number[]; activations: number[] }>();
  const examples = Array.from({ length: features }, (_, feature) => {
    const chosen = tally.top(feature).map((place) => ({ ...place, group: null as number | null }));
    for (let group = GROUPS - 1; group >= 0; group--) {
      for (const place of samples.of(feature, group)) chosen.push({ ...place, group });
    }
    for (const { prompt } of chosen) {
      traces.set(`${feature}/${prompt}`, { positions: [], activations: [] });
    }
    return chosen;
  });
  await each((feature, { prompt, position, activation }) => {
    const trace = traces.get(`${feature}/${prompt}`);
    trace?.positions.push(position);
    trace?.activations.push(activation);
  });

  const labels = await readLabels(directory);
  const rows = Array.from({ length: features }, (_, feature): FeatureDashboard => {
    const count = tally.counts[feature]!;
    return {
      feature,
      label: labels.get(feature) ?? null,
      count,
      density: positions > 0 ? count / positions : 0,
      max: tally.largest[feature]!,
      mean: count > 0 ? tally.sums[feature]! / count : 0,
      histogram: histograms[feature]!,
      promoted: tables!.promoted[feature]!,
      suppressed: tables!.suppressed[feature]!,
      nearest: tables!.nearest[feature]!,
      together: together.of(feature, tally.counts),
      examples: examples[feature]!.map((place) => {
        const trace = traces.get(`${feature}/${place.prompt}`)!;
        return { ...place, positions: trace.positions, activations: trace.activations };
      }),
    };
  });
  const { name, model, rows: corpusRows } = manifest;
  const metadata = { name, version: 1, model, options, rows: corpusRows, positions };
  const { schema, batch } = featuresTable(rows, metadata);
  await writeParquet(join(directory, "features.parquet"), schema, [batch], GROUP_ROWS);
  const wanted = new Set(examples.flatMap((places) => places.map(({ prompt }) => prompt)));
  const prompts: ExamplePrompt[] = [];
  for (const { part } of manifest.parts) {
    const path = join(directory, partFile("prompts", part, "parquet"));
    for await (const prompt of readPrompts(path)) if (wanted.has(prompt.row)) prompts.push(prompt);
  }
  const of = examplesTable(prompts, metadata);
  await writeParquet(join(directory, "examples.parquet"), of.schema, [of.batch], GROUP_ROWS);
  return ["examples.parquet", "features.parquet"];
}

/** Labels that the user put beside the parts: `labels.json`, texts by the feature's number. */
async function readLabels(directory: string): Promise<ReadonlyMap<number, string>> {
  const text = await readIfThere(join(directory, "labels.json"));
  if (text === undefined) return new Map();
  const labels = JSON.parse(text) as Record<string, string>;
  return new Map(Object.entries(labels).map(([feature, label]) => [Number(feature), label]));
}
