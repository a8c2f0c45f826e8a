import { GraphQLError, Kind, type ValueNode } from "graphql";
import type { CacheStats } from "../../engine/activations/cache.ts";
import type { DeviceInfo } from "../../engine/gpu/device.ts";
import { InfoflowError } from "../../errors.ts";
import type { Token } from "../../tokens/tokenize.ts";
import type { Answer } from "../answers/answer.ts";
import { ANSWERS } from "../answers/list.ts";
import { claimedArrow } from "../answers/claimed_arrow.ts";
import { ComparedFlow, type Comparison } from "../answers/comparison.ts";
import { type FeatureCard, featureCard } from "../answers/feature_card.ts";
import { type FeatureList, featureList, type FeatureListOptions } from "../answers/feature_list.ts";
import type { InfoFlow } from "../answers/info_flow.ts";
import type { LoadedModel } from "../answers/loaded_model.ts";
import { checkInteger } from "../answers/check_integer.ts";
import { type Cell, topCells } from "../answers/top_cells.ts";
import type { MatrixAnswer } from "../answers/matrix_answer.ts";
import { pickModel } from "../answers/pick_model.ts";
import { read, type ReadingArguments } from "../answers/reading.ts";
import { type Sae, saesOf } from "../answers/sae.ts";
import {
  type ArrowForm,
  DEFAULT_FORM,
  type Format,
  type Layout,
  MEDIA_TYPES,
} from "../arrow/form.ts";
import { linkOf } from "../links/link_of.ts";
import { writeLink } from "../links/write_link.ts";
import { LONGEST_URL } from "../links/longest_url.ts";
import { hasField, isLinkedField, isMatrixField, typeOf, withDefaults } from "../schema.ts";
import type { GraphQLContext } from "./context.ts";

/** The most numbers that are returned as JSON; Arrow can have more. */
const MOST_VALUES = 4096;
/** As in `schema.graphql`. */
const DEFAULT_TOP = 10;

type Resolver<Parent, Arguments, Result> = (
  parent: Parent,
  args: Arguments,
  context: GraphQLContext,
) => Result | Promise<Result>;

/** Arguments with defaults, which null stands for too. */
type Nullable<Arguments> = { readonly [Name in keyof Arguments]: Arguments[Name] | null };

interface FeatureArguments extends Pick<ReadingArguments, "model"> {
  readonly sae: string;
  readonly index: number;
}

type ModelFields = Record<string, string | number>;

/** The resolvers of fields that are more than a property. */
export interface Resolvers {
  readonly Query: {
    // and a field for each of `ANSWERS`
    readonly tokens: Resolver<unknown, ReadingArguments, readonly Token[]>;
    readonly model: Resolver<unknown, unknown, ModelFields>;
    readonly models: Resolver<unknown, unknown, ModelFields[]>;
    readonly saes: Resolver<unknown, Pick<ReadingArguments, "model">, readonly Sae[]>;
    readonly feature: Resolver<unknown, FeatureArguments, FeatureCard>;
    readonly featureList: Resolver<unknown, FeatureListOptions, FeatureList>;
    readonly device: Resolver<unknown, unknown, DeviceInfo>;
    readonly cache: Resolver<unknown, unknown, CacheStats>;
  };
  readonly FeatureCard: { readonly url: Resolver<FeatureCard, unknown, string> };
  readonly FeatureList: { readonly url: Resolver<FeatureList, unknown, string> };
  readonly InfoFlow: {
    readonly comparison: Resolver<InfoFlow, unknown, Comparison | null>;
  };
  readonly Matrix: {
    readonly arrow: Resolver<MatrixAnswer, Nullable<Pick<ArrowForm, "layout">>, string>;
    readonly url: Resolver<MatrixAnswer, Nullable<ArrowForm>, string | null>;
    readonly values: Resolver<MatrixAnswer, unknown, number[]>;
    readonly rows: Resolver<MatrixAnswer, unknown, number[][] | null>;
    readonly top: Resolver<MatrixAnswer, { n: number | null }, Cell[]>;
  };
  /** The internal values of the enums. */
  readonly Layout: Record<string, Layout>;
  readonly Format: Record<string, Format>;
  readonly ArrowIPC: { readonly __serialize: (word: string) => string };
  readonly TokenName: {
    readonly __parseValue: (value: unknown) => number | string;
    readonly __parseLiteral: (node: ValueNode) => number | string;
  };
}

/** The parent answer is the matrix. */
const matrix: Resolver<MatrixAnswer, unknown, MatrixAnswer> = (answer, _, { asked }) => {
  asked?.note(answer);
  return answer;
};

const url: Resolver<Answer, unknown, string | null> = (answer, _, context) =>
  shortLink(answer, context);

/** A link that can be fetched; null and a hint if it would be too long. */
function shortLink(
  answer: Answer,
  { origin, hints }: GraphQLContext,
  form?: ArrowForm,
): string | null {
  const link = linkOf(answer, origin, form);
  if (link.length <= LONGEST_URL) return link;
  hints.add(
    `url is null as it would have ${link.length.toLocaleString("en")} bytes, and the limit is ${
      LONGEST_URL.toLocaleString("en")
    }: ask for arrow, or POST this query with Accept: ${MEDIA_TYPES.stream}`,
  );
  return null;
}

const arrow: Resolver<Answer, unknown, string> = async (answer, _, { held }) =>
  held.hold(await claimedArrow(answer));

/** The resolvers that several types of answers share. */
const ofAnswers = Object.fromEntries(
  Object.keys(ANSWERS).map((field) => [typeOf(field), {
    ...(isMatrixField(field) && { matrix }),
    ...(isLinkedField(field) && { url }),
    ...(hasField(field, "arrow") && { arrow }),
  }]),
);

const questions: Readonly<Record<string, Resolver<unknown, Record<string, unknown>, Answer>>> =
  Object.fromEntries(
    Object.entries(ANSWERS).map(([field, make]) => [
      field,
      (_, args, { models }) => make(models, withDefaults(field, args)),
    ]),
  );

/** The resolvers. What answers have as properties and methods, GraphQL finds by itself. */
export const resolvers: Resolvers = {
  Query: {
    ...questions,
    tokens: (_, args, { models }) => read(models, args).tokens,
    model: (_, __, { models }) => fieldsOf(models[0]!),
    models: (_, __, { models }) => models.map(fieldsOf),
    saes: (_, { model }, { models }) => saesOf(pickModel(models, model)),
    feature: (_, { model, ...asked }, { models }) => featureCard(pickModel(models, model), asked),
    featureList: (_, asked, { models }) =>
      featureList(
        pickModel(models, asked.model),
        withDefaults("featureList", { ...asked }) as unknown as FeatureListOptions,
      ),
    device: (_, __, { models }) => models[0]!.engine.info.device,
    cache: (_, __, { models }) => models[0]!.engine.cacheStats(),
  },
  ...ofAnswers,
  FeatureCard: {
    url: ({ sae, index }, _, { origin, models }) =>
      writeLink(origin, "feature", { sae: sae.name, index, model: furtherModel(sae, models) }),
  },
  FeatureList: {
    url: ({ sae, options }, _, { origin, models }) =>
      writeLink(origin, "featureList", { ...options, model: furtherModel(sae, models) }),
  },
  InfoFlow: {
    ...ofAnswers["InfoFlow"],
    comparison: (infoFlow) => infoFlow instanceof ComparedFlow ? infoFlow.comparison : null,
  },
  Matrix: {
    arrow: async (answer, form, { asked, held }) => {
      const { layout } = formOf(form);
      if (!asked) return held.hold(await claimedArrow(answer, { ...DEFAULT_FORM, layout }));
      asked.noteLayout(layout);
      return ""; // the bytes come instead of this JSON
    },
    url: (answer, form, context) => shortLink(answer, context, formOf(form)),
    values: async (answer) => {
      if (answer.size > MOST_VALUES) throw tooManyValues(answer);
      return Array.from(await answer.numbers());
    },
    rows: async (answer) => {
      if (answer.axes.length > 2) return null;
      if (answer.size > MOST_VALUES) throw tooManyValues(answer);
      return rowsOf(await answer.numbers(), answer.shape.at(-1)!);
    },
    top: (answer, { n }) =>
      topCells(answer, checkInteger("n", n ?? DEFAULT_TOP, { min: 1, max: MOST_VALUES })),
  },
  Layout: { ROWS: "rows", TENSOR: "tensor", TIDY: "tidy" },
  Format: { STREAM: "stream", FILE: "file" },
  // A word that stands for the bytes, see `HeldBytes`.
  ArrowIPC: { __serialize: (word) => word },
  TokenName: {
    __parseValue: tokenName,
    __parseLiteral: (node) =>
      tokenName(
        node.kind === Kind.INT ? Number(node.value) : "value" in node ? node.value : undefined,
      ),
  },
};

/** The name of an autoencoder's model, where links must say it. */
function furtherModel({ model }: Sae, models: readonly LoadedModel[]): string | undefined {
  return models.find(({ name, isFurther }) => name === model && isFurther)?.name;
}

function rowsOf(numbers: Float32Array, width: number): number[][] {
  return Array.from(
    { length: numbers.length / width },
    (_, row) => Array.from(numbers.subarray(row * width, (row + 1) * width)),
  );
}

function formOf({ layout, format }: Partial<Nullable<ArrowForm>>): ArrowForm {
  return { layout: layout ?? DEFAULT_FORM.layout, format: format ?? DEFAULT_FORM.format };
}

function tokenName(value: unknown): number | string {
  if (typeof value === "string" || Number.isInteger(value)) return value as number | string;
  throw new GraphQLError("A token is named by its number or by its text");
}

function fieldsOf({ name, engine: { info } }: LoadedModel): ModelFields {
  const { layers, heads, channels, context, vocabulary } = info.architecture;
  const { fingerprint, weightType } = info;
  const weights = weightType === "f16" ? "F16" : "F32";
  return { name, layers, heads, channels, context, vocabulary, fingerprint, weights };
}

function tooManyValues({ size, shape }: MatrixAnswer): InfoflowError {
  return new InfoflowError(
    "MATRIX_TOO_LARGE",
    `Cannot list the values of a matrix of ${shape.join(" x ")} = ${
      size.toLocaleString("en")
    } numbers as ` +
      `the limit is ${MOST_VALUES.toLocaleString("en")}: ask for \`arrow\` or \`url\` instead`,
    { values: size, limit: MOST_VALUES },
  );
}
