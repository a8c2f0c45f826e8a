import { GraphQLError, Kind, type ValueNode } from "graphql";
import type { CacheStats } from "../../engine/activations/cache.ts";
import type { DeviceInfo } from "../../engine/gpu/device.ts";
import { type ArrowForm, DEFAULT_FORM, type Format, type Layout } from "../arrow/form.ts";
import { InfoflowError } from "../../errors.ts";
import type { AttentionOptions, FlowOptions } from "../../requests/flow_options.ts";
import { arrowUrl } from "../links/matrix_link.ts";
import { ComparedFlow, type Comparison } from "../answers/comparison.ts";
import { InfoFlow, type LoadedModel } from "../answers/info_flow.ts";
import { pickModel } from "../answers/pick_model.ts";
import { Attribution } from "../answers/attribution.ts";
import { HeadScores } from "../answers/head_scores.ts";
import { LogitLens } from "../answers/logit_lens.ts";
import { NextTokens } from "../answers/next_tokens.ts";
import type { Answered } from "../../requests/questions.ts";
import { RouteGraphAnswer } from "../answers/routes.ts";
import type { TableAnswer } from "../answers/table_answer.ts";
import { type Token, tokenize } from "../../tokens/tokenize.ts";
import type { GraphQLContext } from "./context.ts";

/** More numbers than that nobody reads as JSON. */
const MOST_VALUES = 4096;

type Resolver<Parent, Arguments, Result> = (
  parent: Parent,
  args: Arguments,
  context: GraphQLContext,
) => Result | Promise<Result>;

/** What is asked, and of which model. */
interface Asked {
  readonly prompt: string;
  readonly model?: string | null;
}

type ModelFields = Record<string, string | number>;

interface AnswerResolvers {
  readonly matrix: Resolver<InfoFlow, unknown, InfoFlow>;
  readonly cacheHit: Resolver<InfoFlow, unknown, boolean>;
}

/** What the fields of `schema.graphql` do, where it is more than reading a property. */
export interface Resolvers {
  readonly Query: {
    readonly infoFlow: Resolver<unknown, FlowOptions & Asked, InfoFlow>;
    readonly attention: Resolver<unknown, Omit<AttentionOptions, "byHead"> & Asked, InfoFlow>;
    readonly nextTokens: Resolver<unknown, Asked & { k: number }, NextTokens>;
    readonly logitLens: Resolver<unknown, Asked & { k: number }, LogitLens>;
    readonly attribution: Resolver<
      unknown,
      Asked & { token?: number | string | null },
      Attribution
    >;
    readonly headScores: Resolver<unknown, Asked, HeadScores>;
    readonly routes: Resolver<
      unknown,
      Asked & { target?: number | null; threshold: number },
      RouteGraphAnswer
    >;
    readonly tokens: Resolver<unknown, Asked, Token[]>;
    readonly model: Resolver<unknown, unknown, ModelFields>;
    readonly models: Resolver<unknown, unknown, ModelFields[]>;
    readonly device: Resolver<unknown, unknown, DeviceInfo>;
    readonly cache: Resolver<unknown, unknown, CacheStats>;
  };
  readonly InfoFlow: AnswerResolvers & {
    readonly comparison: Resolver<InfoFlow, unknown, Comparison | null>;
  };
  readonly Attention: AnswerResolvers;
  readonly NextTokens: TableResolvers<NextTokens>;
  readonly LogitLens: TableResolvers<LogitLens>;
  readonly Attribution: TableResolvers<Attribution>;
  readonly HeadScores: TableResolvers<HeadScores>;
  readonly Routes: TableResolvers<RouteGraphAnswer>;
  readonly Matrix: {
    readonly arrow: Resolver<InfoFlow, Pick<ArrowForm, "layout">, Uint8Array>;
    readonly url: Resolver<InfoFlow, ArrowForm, string>;
    readonly values: Resolver<InfoFlow, unknown, number[]>;
  };
  /** What the values of the enums are here. */
  readonly Layout: Record<string, Layout>;
  readonly Format: Record<string, Format>;
  readonly ArrowIPC: { readonly __serialize: (bytes: Uint8Array) => string };
  readonly TokenName: {
    readonly __parseValue: (value: unknown) => number | string;
    readonly __parseLiteral: (node: ValueNode) => number | string;
  };
}

interface TableResolvers<Answer> {
  readonly cacheHit: Resolver<Answer, unknown, boolean>;
  readonly url: Resolver<Answer, unknown, string>;
}

const table: TableResolvers<TableAnswer<Answered>> = {
  cacheHit: async (answer) => (await answer.compute()).cacheHit,
  url: (answer, _, { origin }) => answer.url(origin),
};

const answer: AnswerResolvers = {
  matrix: (infoFlow, _, { asked }) => {
    asked?.note(infoFlow);
    return infoFlow;
  },
  cacheHit: async (infoFlow) => (await infoFlow.compute()).cacheHit,
};

/** The resolvers. A matrix is its `InfoFlow`, seen from another side. */
export const resolvers: Resolvers = {
  Query: {
    infoFlow: (_, { prompt, model, compare, ...options }, { models }) =>
      compare
        ? new ComparedFlow(pickModel(models, model), prompt, options)
        : new InfoFlow(pickModel(models, model), prompt, options),
    attention: (_, { prompt, model, ...options }, { models }) =>
      new InfoFlow(pickModel(models, model), prompt, { ...options, byHead: true }),
    nextTokens: (_, { prompt, model, ...options }, { models }) =>
      new NextTokens(pickModel(models, model), prompt, options),
    logitLens: (_, { prompt, model, ...options }, { models }) =>
      new LogitLens(pickModel(models, model), prompt, options),
    attribution: (_, { prompt, model, ...options }, { models }) =>
      new Attribution(pickModel(models, model), prompt, options),
    headScores: (_, { prompt, model }, { models }) =>
      new HeadScores(pickModel(models, model), prompt),
    routes: (_, { prompt, model, ...options }, { models }) =>
      new RouteGraphAnswer(pickModel(models, model), prompt, options),
    tokens: (_, { prompt, model }, { models }) => {
      const { engine, tokenizer } = pickModel(models, model);
      return tokenize(prompt, engine.info.architecture.context, tokenizer);
    },
    model: (_, __, { models }) => fieldsOf(models[0]!),
    models: (_, __, { models }) => models.map(fieldsOf),
    device: (_, __, { models }) => models[0]!.engine.info.device,
    cache: (_, __, { models }) => models[0]!.engine.cacheStats(),
  },
  InfoFlow: {
    ...answer,
    comparison: (infoFlow) => infoFlow instanceof ComparedFlow ? infoFlow.comparison : null,
  },
  Attention: answer,
  NextTokens: table,
  LogitLens: table,
  Attribution: table,
  HeadScores: table,
  Routes: table,
  Matrix: {
    arrow: (infoFlow, { layout }, { asked }) => {
      if (!asked) return infoFlow.arrow({ ...DEFAULT_FORM, layout });
      asked.noteLayout(layout);
      return new Uint8Array(); // the bytes come instead of this JSON
    },
    url: (infoFlow, form, { origin }) => arrowUrl(origin, infoFlow, form),
    values: async (infoFlow) => {
      if (infoFlow.size > MOST_VALUES) throw tooManyValues(infoFlow);
      return Array.from((await infoFlow.compute()).flow);
    },
  },
  Layout: { ROWS: "rows", TENSOR: "tensor", TIDY: "tidy" },
  Format: { STREAM: "stream", FILE: "file" },
  ArrowIPC: { __serialize: (bytes) => bytes.toBase64() },
  TokenName: {
    __parseValue: tokenName,
    __parseLiteral: (node) =>
      tokenName(
        node.kind === Kind.INT ? Number(node.value) : "value" in node ? node.value : undefined,
      ),
  },
};

function tokenName(value: unknown): number | string {
  if (typeof value === "string" || Number.isInteger(value)) return value as number | string;
  throw new GraphQLError("A token is named by its number or by its text");
}

function fieldsOf({ name, engine: { info } }: LoadedModel): ModelFields {
  const { layers, heads, channels, context, vocabulary } = info.architecture;
  return { name, layers, heads, channels, context, vocabulary, fingerprint: info.fingerprint };
}

function tooManyValues({ size, shape }: InfoFlow): InfoflowError {
  return new InfoflowError(
    "MATRIX_TOO_LARGE",
    `Cannot list the values of a matrix of ${shape.join(" x ")} = ${
      size.toLocaleString("en")
    } numbers as ` +
      `the limit is ${MOST_VALUES.toLocaleString("en")}: ask for \`arrow\` or \`url\` instead`,
    { values: size, limit: MOST_VALUES },
  );
}
