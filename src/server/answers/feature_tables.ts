import { Float32, Float64, Int32, Utf8 } from "apache-arrow";
import { LAYOUT_VERSION } from "../arrow/layout_version.ts";
import { encodeNested, listOf, type NestedColumn, structOf } from "../arrow/nested_table.ts";
import { type FeatureCard, featureCard } from "./feature_card.ts";
import { featureList, type FeatureListOptions } from "./feature_list.ts";
import type { LoadedModel } from "./loaded_model.ts";
import { pickModel } from "./pick_model.ts";

/** What is known of features over a corpus, as Arrow: by the field of `schema.graphql` that has the same numbers. */
export const FEATURE_TABLES: Readonly<
  Record<
    "feature" | "featureList",
    (
      models: readonly LoadedModel[],
      args: Readonly<Record<string, unknown>>,
    ) => Promise<Uint8Array<ArrayBuffer>>
  >
> = {
  feature: async (models, args) => {
    const { model, ...asked } = args as {
      readonly model?: string;
      readonly sae: string;
      readonly index: number;
    };
    return await cardTable(await featureCard(pickModel(models, model), asked));
  },
  featureList: async (models, args) => {
    const options = args as unknown as FeatureListOptions;
    const list = await featureList(pickModel(models, options.model), options);
    const { features, sae, total, dead } = list;
    const tokens = await Promise.all(features.map((it) => it.tokens()));
    const { rows, positions } = await list.corpus();
    return encodeNested([
      ["index", new Int32(), features.map(({ index }) => index)],
      ["label", new Utf8(), features.map(({ label }) => label)],
      ["count", new Float64(), features.map(({ count }) => count)],
      ["density", new Float64(), features.map(({ density }) => density)],
      ["max", new Float32(), features.map(({ max }) => max)],
      ["mean", new Float64(), features.map(({ mean }) => mean)],
      ["tokens", listOf(new Utf8()), tokens],
      ["promoted", listOf(TOKEN), features.map(({ promoted }) => promoted)],
    ], { version: LAYOUT_VERSION, ...options, sae: sae.name, total, dead, rows, positions });
  },
};

const TOKEN = structOf({ id: new Int32(), token: new Utf8(), logit: new Float32() });
const NEAREST = structOf({ feature: new Int32(), label: new Utf8(), cosine: new Float32() });
const TOGETHER = structOf({ feature: new Int32(), label: new Utf8(), jaccard: new Float32() });
const EXAMPLE = structOf({
  prompt: new Int32(),
  position: new Int32(),
  activation: new Float32(),
  group: new Int32(),
  text: new Utf8(),
  ids: listOf(new Int32()),
  tokens: listOf(new Utf8()),
  activations: listOf(new Float32()),
});

/** A row: the dashboard of a feature, all of its examples with it. */
async function cardTable(card: FeatureCard): Promise<Uint8Array<ArrayBuffer>> {
  const groups = [null, 4, 3, 2, 1, 0];
  const examples = await Promise.all(groups.map((group) => card.examples({ n: 100, group })));
  const { rows, positions } = await card.corpus();
  const columns: NestedColumn[] = [
    ["index", new Int32(), [card.index]],
    ["label", new Utf8(), [card.label]],
    ["count", new Float64(), [card.count]],
    ["density", new Float64(), [card.density]],
    ["max", new Float32(), [card.max]],
    ["mean", new Float64(), [card.mean]],
    ["histogram", listOf(new Int32()), [card.histogram]],
    ["promoted", listOf(TOKEN), [card.promoted]],
    ["suppressed", listOf(TOKEN), [card.suppressed]],
    ["nearest", listOf(NEAREST), [await card.nearest()]],
    ["together", listOf(TOGETHER), [await card.together()]],
    ["examples", listOf(EXAMPLE), [examples.flat()]],
  ];
  const { name, model } = card.sae;
  return encodeNested(columns, { version: LAYOUT_VERSION, model, sae: name, rows, positions });
}
