import type { Call, Scaling } from "../../calls/call.ts";
import type { Question } from "../../server/answers.ts";
import { Failure } from "../../server/failure.ts";
import type { Forecast, Prediction } from "../../server/forecast.ts";
import { askGraphQL } from "../../server/graphql.ts";

/** A sparse autoencoder of the model. */
export interface SaeCard {
  readonly name: string;
  readonly hook: string;
  readonly layer: number;
  readonly site: string;
  readonly features: number;
  /** What is done to the model's activation before it is encoded, in words. */
  readonly conversion: string;
}

/** A feature that is on at a position, which counts from BOS. */
export interface ActiveFeature {
  readonly position: number;
  readonly feature: number;
  readonly activation: number;
  /** What people call it. */
  readonly label: string | null;
}

/** What fed a feature at one target; positions count from BOS. */
export interface FeatureFlow {
  /** By layer or by head, then by source. */
  readonly values: readonly number[];
  readonly axis: "layer" | "head";
  readonly rows: number;
  readonly parts: readonly {
    readonly kind: string;
    readonly layer: number | null;
    readonly value: number;
  }[];
  readonly preActivation: number;
}

/** A feature over a corpus. */
export interface FeatureCard {
  readonly label: string | null;
  readonly density: number;
  readonly max: number;
  /** The share of its activations that are smaller than the one at the chosen token. */
  readonly quantile: number;
  readonly nearest: readonly { readonly feature: number; readonly label: string | null }[];
  readonly promoted: readonly { readonly token: string }[];
  readonly suppressed: readonly { readonly token: string }[];
  readonly examples: readonly {
    readonly position: number;
    readonly activation: number;
    readonly tokens: readonly string[];
    readonly activations: readonly number[];
  }[];
}

/** Features of a position: more are never shown. */
export const MOST = 4;

/** Asks which autoencoders a model has. */
export function saesOf(model: string | undefined): Question<readonly SaeCard[]> {
  return {
    key: `saes ${model ?? ""}`,
    fetch: async (signal) => {
      const query = `query Saes($model: String) {
        saes(model: $model) { name hook layer site features conversion }
      }`;
      return (await askGraphQL<{ saes: SaeCard[] }>(query, { model }, signal)).saes;
    },
  };
}

/** The question to the API: the strongest features of each position. */
export function featuresCall(prompt: string, model: string | undefined, sae: string): Call {
  return {
    field: "features",
    args: { prompt, model, sae, k: MOST },
    selects: "activations { position feature activation rank } url",
  };
}

/** Asks for the strongest features of each position. */
export function featuresOf(
  prompt: string,
  model: string | undefined,
  sae: string,
): Question<readonly ActiveFeature[]> {
  return {
    key: `features ${JSON.stringify([prompt, model, sae])}`,
    fetch: async (signal) => {
      const query = `query Features($prompt: String!, $model: String, $sae: String!) {
        features(prompt: $prompt, model: $model, sae: $sae, k: ${MOST}) {
          activations { position feature activation label }
        }
      }`;
      type Data = { features: { activations: ActiveFeature[] } };
      return (await askGraphQL<Data>(query, { prompt, model, sae }, signal)).features.activations;
    },
  };
}

/** Asks for a feature's activations over the text, at every position where it is on. */
export function activationsOf(
  { prompt, model, sae, feature }: AboutFeature,
): Question<readonly ActiveFeature[]> {
  return {
    key: `feature-activations ${JSON.stringify([prompt, model, sae.name, feature])}`,
    fetch: async (signal) => {
      const query =
        `query Activations($prompt: String!, $model: String, $sae: String!, $features: [Int!]) {
        features(prompt: $prompt, model: $model, sae: $sae, features: $features) {
          activations { position feature activation label }
        }
      }`;
      const variables = { prompt, model, sae: sae.name, features: [feature] };
      type Data = { features: { activations: ActiveFeature[] } };
      return (await askGraphQL<Data>(query, variables, signal)).features.activations;
    },
  };
}

/** What is asked about one feature. */
export interface AboutFeature {
  readonly prompt: string;
  readonly model: string | undefined;
  readonly sae: SaeCard;
  readonly feature: number;
}

/** What is read: a text, or token ids as the model gets them. */
export type Source = { readonly prompt: string } | { readonly ids: readonly number[] };

/** Asks what fed a feature at a target; gives nothing if that is not defined, as for an MLP's output. */
export function flowTo(
  source: Source,
  { model, sae, feature, target }: {
    readonly model: string | undefined;
    readonly sae: string;
    readonly feature: number;
    readonly target: number;
  },
): Question<FeatureFlow | undefined> {
  const variables = { ...source, model, sae, feature, target };
  return {
    key: `feature-flow ${JSON.stringify(variables)}`,
    fetch: async (signal) => {
      const query = `query Flow(
        $prompt: String, $ids: [Int!], $model: String, $sae: String!, $feature: Int!, $target: Int!
      ) {
        featureFlow(
          prompt: $prompt, ids: $ids, model: $model, sae: $sae, feature: $feature, target: $target
        ) {
          preActivations parts { kind layer values } matrix { axes shape values }
        }
      }`;
      try {
        const { featureFlow } = await askGraphQL<FlowData>(query, variables, signal);
        const { matrix: { axes, shape, values }, parts, preActivations } = featureFlow;
        return {
          values,
          axis: axes[0]!,
          rows: shape[0]!,
          parts: parts.map(({ kind, layer, values }) => ({ kind, layer, value: values[0]! })),
          preActivation: preActivations[0]!,
        };
      } catch (error) {
        if (error instanceof Failure && error.kind === "refused") return undefined;
        throw error;
      }
    },
  };
}

interface FlowData {
  readonly featureFlow: {
    readonly preActivations: readonly number[];
    readonly parts: readonly { kind: string; layer: number | null; values: readonly number[] }[];
    readonly matrix: {
      readonly axes: readonly ("layer" | "head")[];
      readonly shape: readonly number[];
      readonly values: readonly number[];
    };
  };
}

/** The interventions that multiply a feature’s activation. */
export function scaled({ sae, feature }: AboutFeature, factor: number): readonly Scaling[] {
  const site = sae.site === "LN2_NORMALIZED" ? "MLP_OUT" : sae.site;
  const { name, layer } = sae;
  return [{ site, layer, action: "SCALE", factor, feature: { sae: name, index: feature } }];
}

/** Asks what comes next with a feature’s activation multiplied. */
export function forecastWith(about: AboutFeature, factor: number): Question<Forecast> {
  const { prompt, model, sae, feature } = about;
  return {
    key: `feature-forecast ${JSON.stringify([prompt, model, sae.name, feature, factor])}`,
    fetch: async (signal) => {
      const query =
        `query Next($prompt: String!, $model: String, $interventions: [InterventionInput!]) {
        whole: nextTokens(prompt: $prompt, model: $model, k: 50) { predictions { text probability } }
        without: nextTokens(prompt: $prompt, model: $model, k: 50, interventions: $interventions) {
          predictions { text probability }
        }
      }`;
      const interventions = scaled(about, factor);
      type List = { readonly predictions: readonly Prediction[] };
      const { whole, without } = await askGraphQL<{ whole: List; without: List }>(
        query,
        { prompt, model, interventions },
        signal,
      );
      return { whole: whole.predictions, without: without.predictions };
    },
  };
}

/**
 * Asks for what is known of a feature over a corpus; nothing where there are no dashboards.
 *
 * @param activation What it is at the chosen token.
 */
export function cardOf(
  { model, sae, feature }: AboutFeature,
  activation: number,
): Question<FeatureCard | undefined> {
  return {
    key: `feature ${JSON.stringify([model, sae.name, feature, activation])}`,
    fetch: async (signal) => {
      const query =
        `query Card($model: String, $sae: String!, $feature: Int!, $activation: Float!) {
        feature(model: $model, sae: $sae, index: $feature) {
          label density max quantile(activation: $activation)
          promoted { token } suppressed { token } nearest { feature label }
          examples(n: 6) { position activation tokens activations }
        }
      }`;
      try {
        const variables = { model, sae: sae.name, feature, activation };
        return (await askGraphQL<{ feature: FeatureCard }>(query, variables, signal)).feature;
      } catch (error) {
        if (error instanceof Failure && error.kind === "refused") return undefined;
        throw error;
      }
    },
  };
}

/** A feature that was searched for. */
export interface FoundFeature {
  readonly index: number;
  readonly label: string | null;
  readonly density: number;
  readonly promoted: readonly { readonly token: string }[];
}

/** Some features that were found, and how many there are. */
export interface FoundFeatures {
  readonly total: number;
  readonly features: readonly FoundFeature[];
}

/** Asks which features go by a name or promote a token, those on at most tokens first; nothing without dashboards. */
export function found(
  model: string | undefined,
  sae: SaeCard,
  search: string,
): Question<FoundFeatures | undefined> {
  return {
    key: `features found ${JSON.stringify([model, sae.name, search])}`,
    fetch: async (signal) => {
      const query = `query Find($model: String, $sae: String!, $search: String) {
        featureList(model: $model, sae: $sae, search: $search, order: DENSITY, first: 12) {
          total features { index label density promoted { token } }
        }
      }`;
      try {
        const variables = { model, sae: sae.name, search };
        type Data = { readonly featureList: FoundFeatures };
        return (await askGraphQL<Data>(query, variables, signal)).featureList;
      } catch (error) {
        if (error instanceof Failure && error.kind === "refused") return undefined;
        throw error;
      }
    },
  };
}
