import type { Question } from "../server/answers.ts";
import { askGraphQL } from "../server/graphql.ts";

/** A token, and what a feature adds to its logit. */
export interface TokenWeight {
  readonly token: string;
  readonly logit: number;
}

/** An autoencoder, as the page names it. */
export interface SaeName {
  readonly name: string;
  readonly hook: string;
  readonly features: number;
}

/** A model and its autoencoders. */
export interface ModelSaes {
  readonly model: string;
  readonly saes: readonly SaeName[];
}

/** Which models there are, the default one first, and which autoencoders one of them has. */
export function saesOf(
  model: string | undefined,
): Question<{ models: readonly string[]; saes: readonly SaeName[] }> {
  return {
    key: `saes ${model ?? ""}`,
    fetch: async (signal) => {
      const query = `query Saes($model: String) {
        models { name } saes(model: $model) { name hook features }
      }`;
      type Data = { models: { name: string }[]; saes: SaeName[] };
      const { models, saes } = await askGraphQL<Data>(query, { model }, signal);
      return { models: models.map(({ name }) => name), saes };
    },
  };
}

/** What dashboards were made of. */
export interface Corpus {
  readonly rows: number;
  readonly positions: number;
}

/** A feature in the list. */
export interface ListedFeature {
  readonly index: number;
  readonly label: string | null;
  readonly count: number;
  readonly density: number;
  readonly max: number;
  readonly promoted: readonly TokenWeight[];
}

/** A part of the list. */
export interface ListPart {
  readonly total: number;
  readonly dead: number;
  readonly corpus: Corpus;
  readonly features: readonly ListedFeature[];
}

/** What is listed, and in which order. */
export interface ListOptions {
  readonly model: string | undefined;
  readonly sae: string;
  readonly search: string;
  readonly in: string;
  readonly order: string;
  readonly minDensity: number;
  readonly maxDensity: number;
}

/** Features of a part of the list. */
export const PART = 100;

const LIST_ARGUMENTS =
  `$model: String, $sae: String!, $search: String, $in: FeatureSearch, $order: FeatureOrder,
   $minDensity: Float, $maxDensity: Float, $after: Int`;
const LIST_OPTIONS =
  `model: $model, sae: $sae, search: $search, in: $in, order: $order, minDensity: $minDensity,
   maxDensity: $maxDensity, first: ${PART}, after: $after`;

/** Asks for a part of the list, counted from 0. */
export function partOf(options: ListOptions, part: number): Question<ListPart> {
  return {
    key: `list ${JSON.stringify([options, part])}`,
    kept: 64,
    fetch: async (signal) => {
      const query = `query List(${LIST_ARGUMENTS}) {
        featureList(${LIST_OPTIONS}) {
          total dead corpus { rows positions }
          features { index label count density max promoted { token logit } }
        }
      }`;
      const variables = { ...options, after: part * PART };
      return (await askGraphQL<{ featureList: ListPart }>(query, variables, signal)).featureList;
    },
  };
}

/** Asks for the tokens that the features of a part of the list are largest at: slower, as their examples are read. */
export function tokensOfPart(
  options: ListOptions,
  part: number,
): Question<ReadonlyMap<number, readonly string[]>> {
  return {
    key: `tokens ${JSON.stringify([options, part])}`,
    kept: 64,
    fetch: async (signal) => {
      const query = `query Tokens(${LIST_ARGUMENTS}) {
        featureList(${LIST_OPTIONS}) { features { index tokens } }
      }`;
      type Data = { featureList: { features: { index: number; tokens: string[] }[] } };
      const variables = { ...options, after: part * PART };
      const { featureList } = await askGraphQL<Data>(query, variables, signal);
      return new Map(featureList.features.map(({ index, tokens }) => [index, tokens]));
    },
  };
}

/** A place of the corpus where a feature is on. */
export interface Example {
  readonly prompt: number;
  readonly position: number;
  readonly activation: number;
  readonly group: number | null;
  /** Null where the corpus has token ids. */
  readonly text: string | null;
  readonly ids: readonly number[];
  readonly tokens: readonly string[];
  readonly activations: readonly number[];
}

/** A feature beside another. */
export interface NearFeature {
  readonly feature: number;
  readonly label: string | null;
}

/** A feature over a corpus. */
export interface Card {
  readonly sae: SaeName & { readonly site: string };
  readonly index: number;
  readonly label: string | null;
  readonly count: number;
  readonly density: number;
  readonly max: number;
  readonly mean: number;
  readonly histogram: readonly number[];
  readonly promoted: readonly TokenWeight[];
  readonly suppressed: readonly TokenWeight[];
  readonly nearest: readonly (NearFeature & { readonly cosine: number })[];
  readonly together: readonly (NearFeature & { readonly jaccard: number })[] | null;
  readonly corpus: Corpus;
  /** The largest. */
  readonly examples: readonly Example[];
  /** Drawn of each fifth of (0, max], the smallest first. */
  readonly groups: readonly (readonly Example[])[];
}

/** A feature by its autoencoder and its number. */
export interface AboutFeature {
  readonly model: string | undefined;
  readonly sae: string;
  readonly index: number;
}

const FIFTHS = [0, 1, 2, 3, 4];

/** Asks for all of a feature's dashboard. */
export function cardOf({ model, sae, index }: AboutFeature): Question<Card> {
  return {
    key: `card ${JSON.stringify([model, sae, index])}`,
    fetch: async (signal) => {
      const example = "{ prompt position activation group text ids tokens activations }";
      const query = `query Card($model: String, $sae: String!, $index: Int!) {
        feature(model: $model, sae: $sae, index: $index) {
          sae { name hook site features } index label count density max mean histogram
          promoted { token logit } suppressed { token logit }
          nearest { feature label cosine } together { feature label jaccard }
          corpus { rows positions }
          examples(n: 20) ${example}
          ${FIFTHS.map((group) => `group${group}: examples(group: ${group}) ${example}`).join(" ")}
        }
      }`;
      type Data = { feature: Omit<Card, "groups"> & Record<string, readonly Example[]> };
      const { feature } = await askGraphQL<Data>(query, { model, sae, index }, signal);
      const { group0, group1, group2, group3, group4, ...card } = feature;
      return { ...card, groups: [group0!, group1!, group2!, group3!, group4!] };
    },
  };
}
