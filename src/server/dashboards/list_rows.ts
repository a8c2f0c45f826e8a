import { statIfThere } from "../../files.ts";
import { ParquetRows } from "./parquet_rows.ts";
import type { StoredExample, StoredFeature, StoredPrompt } from "./stored_feature.ts";

/** A row of `list.parquet`, but for the tokens that the feature is largest at. */
export interface ListedFeatureRow
  extends Pick<StoredFeature, "label" | "count" | "density" | "max" | "mean"> {
  /** The texts, ids and logits of promoted tokens. */
  readonly promoted: readonly string[];
  readonly promoted_ids: readonly number[];
  readonly promoted_logits: readonly number[];
}

const SUMMARY = ["label", "count", "density", "max", "mean", "promoted"] as const;
const LISTED = [...SUMMARY, "promoted_ids", "promoted_logits"] as const;

/**
 * What a list shows of all features, some at a time. Dashboards without `list.parquet` have it in `features.parquet`,
 * where reading it takes several times as long.
 */
export async function* listRows(directory: string): AsyncGenerator<readonly ListedFeatureRow[]> {
  const list = await listIn(directory);
  if (list) return yield* list.groups(LISTED);
  const features = new ParquetRows<StoredFeature>(`${directory}/features.parquet`);
  for await (const rows of features.groups(SUMMARY)) {
    yield rows.map(({ promoted, ...summary }) => ({
      ...summary,
      promoted: promoted.map(({ token }) => token),
      promoted_ids: promoted.map(({ id }) => id),
      promoted_logits: promoted.map(({ logit }) => logit),
    }));
  }
}

/** The tokens that each feature is largest at, the largest first. Without `list.parquet`, all examples are read. */
export async function* tokenLists(directory: string): AsyncGenerator<readonly string[]> {
  const list = await listIn(directory);
  if (!list) return yield* await tokensOfExamples(directory);
  for await (const rows of list.groups(["tokens"])) {
    for (const { tokens } of rows) yield tokens;
  }
}

type ListRow = ListedFeatureRow & { readonly tokens: readonly string[] };

async function listIn(directory: string): Promise<ParquetRows<ListRow> | undefined> {
  const path = `${directory}/list.parquet`;
  return await statIfThere(path) ? new ParquetRows(path) : undefined;
}

/** The place of an example, without the feature's other activations in its prompt, which are most of the file. */
type ExamplePlace = Pick<StoredExample, "prompt" | "position" | "group">;
const PLACE = ["prompt", "position", "group"];

function isNoPlace([column, ...path]: readonly string[]): boolean {
  if (column === undefined) return false;
  return column !== "examples" || path.length === 3 && !PLACE.includes(path[2]!);
}

async function tokensOfExamples(directory: string): Promise<readonly (readonly string[])[]> {
  const features = new ParquetRows<{ readonly examples: readonly ExamplePlace[] }>(
    `${directory}/features.parquet`,
    isNoPlace,
  );
  const prompts = new ParquetRows<StoredPrompt>(`${directory}/examples.parquet`);
  const places = new Map<number, { feature: number; rank: number; position: number }[]>();
  const ranked: string[][] = [];
  for await (const rows of features.groups(["examples"])) {
    for (const { examples } of rows) {
      const feature = ranked.push([]) - 1;
      for (const [rank, { prompt, position, group }] of examples.entries()) {
        if (group !== null) continue;
        const row = Number(prompt);
        const known = places.get(row) ?? [];
        known.push({ feature, rank, position });
        places.set(row, known);
      }
    }
  }
  for await (const rows of prompts.groups(["prompt", "tokens"])) {
    for (const { prompt, tokens } of rows) {
      for (const { feature, rank, position } of places.get(Number(prompt)) ?? []) {
        ranked[feature]![rank] = tokens[position]!;
      }
    }
  }
  return ranked;
}
