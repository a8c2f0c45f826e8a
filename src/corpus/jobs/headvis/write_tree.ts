import { join } from "node:path";
import type { PartialStatistics } from "../../../requests/head_statistics/partial_statistics.ts";
import { finishStatistics, HEADVIS_METRICS } from "../../../requests/head_statistics/statistics.ts";
import type { Manifest } from "../../output/manifest.ts";
import { writeFile } from "../../output/write_file.ts";
import { configFile } from "./config_file.ts";
import { headFile } from "./head_file.ts";
import { type ShownPrompt, shownPrompts } from "./intervals.ts";
import { rounded, type Sequence, sequenceOf } from "./sequence.ts";

/** A prompt of the corpus, read again. */
export interface ReadPrompt {
  readonly ids: readonly number[];
  readonly tokens: readonly string[];
}

/** What the tree is made with, beside the sums. */
export interface TreeSource {
  /** Reads a row of the corpus again. */
  prompt(row: number): Promise<ReadPrompt>;
  /** (heads.length, T, T): patterns of some heads of a layer, BOS kept. */
  patterns(
    ids: readonly number[],
    chosen: { readonly layer: number; readonly heads: readonly number[] },
  ): Promise<Float32Array>;
}

/** The name of the directory. */
export const TREE = "headvis";

/**
 * Writes a corpus as HeadVis has it (Luger, Kamath et al. 2026): `config.json`, `scatter_data.json` with its metrics by
 * its definitions, `heads/L0H0.json` and so on, and what its static front end expects beside them.
 */
export async function writeTree(
  directory: string,
  { manifest, all, source }: {
    readonly manifest: Manifest;
    readonly all: PartialStatistics;
    readonly source: TreeSource;
  },
): Promise<void> {
  const { layers, heads, context } = all.sizes;
  const write = async (path: string, value: unknown): Promise<void> => {
    await writeFile(path, [new TextEncoder().encode(`${JSON.stringify(value)}\n`)]);
  };
  const root = join(directory, TREE);
  await Deno.mkdir(join(root, "heads"), { recursive: true });
  await Deno.mkdir(join(root, "attributions"), { recursive: true });
  await write(
    join(root, "scatter_data.json"),
    finishStatistics(all).map(({ layer, head, values }) => ({
      layer,
      head,
      ...Object.fromEntries(HEADVIS_METRICS.map((name) => {
        const value = values[name] ?? null;
        return [name, value === null ? null : rounded(value)];
      })),
    })),
  );
  for (let layer = 0; layer < layers; layer++) {
    const shown = Array.from(
      { length: heads },
      (_, head) => shownPrompts(all, layer * heads + head),
    );
    const sequences = await sequencesOf(layer, { shown, source });
    for (const [head, list] of sequences.entries()) {
      const at = layer * heads + head;
      const meanMax = all.prompts > 0 ? all.maxima[at]! / 2 ** 24 / all.prompts : 0;
      const file = headFile(list, { histogram: all.histograms[at]!, meanMax });
      await write(join(root, "heads", `L${layer}H${head}.json`), file);
    }
  }
  await write(join(root, "server_config.json"), {});
  await write(join(root, "attributions", "manifest.json"), {});
  const { prompts } = all;
  await write(join(root, "config.json"), configFile(manifest, { layers, heads, context, prompts }));
}

/** What is shown of each head of a layer; each prompt is run once for all of them. */
async function sequencesOf(
  layer: number,
  { shown, source }: { readonly shown: readonly ShownPrompt[][]; readonly source: TreeSource },
): Promise<Sequence[][]> {
  const rows = new Set(shown.flatMap((prompts) => prompts.map(({ row }) => row)));
  const found = new Map<string, Sequence>();
  for (const row of [...rows].sort((a, b) => a - b)) {
    const { ids, tokens } = await source.prompt(row);
    const heads = shown.flatMap((prompts, head) =>
      prompts.some((it) => it.row === row) ? [head] : []
    );
    const patterns = await source.patterns(ids, { layer, heads });
    const size = ids.length ** 2;
    heads.forEach((head, at) => {
      const { interval } = shown[head]!.find((it) => it.row === row)!;
      const pattern = patterns.subarray(at * size, (at + 1) * size);
      found.set(`${head} ${row}`, sequenceOf(pattern, { row, interval, tokens }));
    });
  }
  return shown.map((prompts, head) => prompts.map(({ row }) => found.get(`${head} ${row}`)!));
}
