import { EnvelopArmorPlugin } from "@escape.tech/graphql-armor";
import { LRUCache } from "lru-cache";
import { type DocumentNode, GraphQLError, NoSchemaIntrospectionCustomRule, visit } from "graphql";
import { createSchema, createYoga, type Plugin, type YogaServerInstance } from "graphql-yoga";
import { InfoflowError } from "../../errors.ts";
import { prepareTexts, textsIn } from "../answers/prepare_texts.ts";
import type { GraphQLContext } from "./context.ts";
import type { Log } from "../observe/log.ts";
import { maskError, ownMistake } from "./errors.ts";
import { GRAPHQL_PATH } from "../links/paths.ts";
import { answerInPieces } from "./long_lists.ts";
import { operationOf } from "./operation.ts";
import { TYPE_DEFS } from "../schema.ts";
import { resolvers } from "./resolvers.ts";

/** The GraphQL server; it never listens, requests are handed to its `fetch`. */
export type Yoga = YogaServerInstance<GraphQLContext, Record<never, never>>;

/** Options of the GraphQL server. */
export interface YogaSettings {
  readonly log: Log;
  /** Whether clients may ask for the schema. */
  readonly introspection: boolean;
}

/**
 * Makes the GraphQL server. Yoga's CORS, uploads, batches and GraphiQL are off; graphql-armor limits depth, aliases,
 * directives, tokens and cost of queries.
 */
export function makeYoga({ log, introspection }: YogaSettings): Yoga {
  return createYoga<GraphQLContext>({
    schema: answerInPieces(
      createSchema<GraphQLContext>({ typeDefs: TYPE_DEFS, resolvers: { ...resolvers } }),
    ),
    graphqlEndpoint: GRAPHQL_PATH,
    maskedErrors: { maskError: (error) => maskError(error, log) },
    plugins: [
      // Suggestions reveal names of the schema, so they are given only if the schema may be read.
      EnvelopArmorPlugin({ blockFieldSuggestion: { enabled: !introspection } }),
      ...(introspection ? [] : [withoutIntrospection]),
      codesForRequestErrors,
      tellOperators,
      requestsInForm,
      noPersistedQueries,
      validateOnce(),
      hints,
      readAhead,
    ],
    maxRequestBodySize: false, // `limitBody` has looked already
    parserAndValidationCache: {
      documentCache: byText(),
      errorCache: byText(),
      validationCache: false, // `validateOnce` is it
    },
    graphiql: false,
    landingPage: false,
    cors: false,
    multipart: false,
    batching: false,
    logging: false,
  });
}

const withoutIntrospection: Plugin<GraphQLContext> = {
  onValidate({ addValidationRule }) {
    addValidationRule(NoSchemaIntrospectionCustomRule);
  },
};

/** Clients that send a query's hash alone send the query itself when they are told so, by this name. */
const noPersistedQueries: Plugin<GraphQLContext> = {
  onRequestParse({ requestParser, setRequestParser }) {
    if (!requestParser) return;
    setRequestParser(async (request) => {
      const params = await requestParser(request);
      const isWhole = params instanceof Response || Array.isArray(params) || params.query;
      if (isWhole || !params.extensions?.persistedQuery) return params;
      const code = "PERSISTED_QUERY_NOT_SUPPORTED";
      const extensions = { code, http: { status: 200 } };
      throw new GraphQLError("PersistedQueryNotSupported", { extensions });
    });
  },
};

/** Hints in an answer's extensions, such as why a link is null. */
const hints: Plugin<GraphQLContext> = {
  onResultProcess({ result, serverContext }) {
    const { hints } = serverContext as unknown as GraphQLContext;
    if (!result || Symbol.asyncIterator in result || Array.isArray(result) || hints.size === 0) {
      return;
    }
    result.extensions = { ...result.extensions, hints: [...hints] };
  },
};

/** Characters of queries whose parsed form is kept, all together and of one. */
const KEPT_QUERIES = 512 * 1024;
const LONGEST_KEPT = 16 * 1024;

/** A cache by the text of a query, bounded by what it holds, where Yoga's own counts entries of any size. */
function byText<Value extends object>(): LRUCache<string, Value> {
  return new LRUCache({
    maxSize: KEPT_QUERIES,
    maxEntrySize: LONGEST_KEPT,
    sizeCalculation: (_, text) => Math.max(1, text.length),
  });
}

/**
 * A query is validated once, as long as its parsed form is kept: rules are the same for all clients. Yoga's own cache
 * sets a timer for each request.
 */
function validateOnce(): Plugin<GraphQLContext> {
  const known = new WeakMap<DocumentNode, readonly GraphQLError[]>();
  return {
    onValidate({ params: { documentAST }, setResult }) {
      const errors = known.get(documentAST);
      if (errors) return setResult(errors);
      return ({ result }) => void known.set(documentAST, result as readonly GraphQLError[]);
    },
  };
}

/** A request that can't be parsed is the client's mistake and is not logged; Yoga would count it as the server's. */
const requestsInForm: Plugin<GraphQLContext> = {
  onRequestParse({ requestParser, setRequestParser }) {
    if (!requestParser) return;
    setRequestParser(async (request) => {
      try {
        return await requestParser(request);
      } catch (error) {
        if (error instanceof GraphQLError || error instanceof InfoflowError) throw error;
        throw new GraphQLError(
          "Cannot read the request as its query, variables and extensions must be GraphQL's, in JSON",
          { extensions: { code: "BAD_REQUEST", http: { status: 400 } } },
        );
      }
    });
  },
  onResponse({ response, setResponse }) {
    if (response.status !== 406) return;
    // Yoga names its media types once for each that the client names.
    const accept = "application/graphql-response+json, application/json";
    const error = { message: `Cannot answer in what Accept names: ask for ${accept}` };
    const body = { errors: [{ ...error, extensions: { code: "BAD_USER_INPUT" } }] };
    setResponse(Response.json(body, { status: 406, headers: { accept } }));
  },
};

/** The texts that a query spells, and whether it says `specialTokens`. */
interface Spelt {
  readonly strings: readonly string[];
  readonly specialTokens: boolean;
}

const speltBy = new WeakMap<DocumentNode, Spelt>();

function spelt(document: DocumentNode): Spelt {
  const known = speltBy.get(document);
  if (known) return known;
  const strings: string[] = [];
  let specialTokens = false;
  visit(document, {
    StringValue: ({ value }) => void strings.push(value),
    Argument: ({ name }) => void (specialTokens ||= name.value === "specialTokens"),
  });
  const found = { strings, specialTokens };
  speltBy.set(document, found);
  return found;
}

/** The tokens of all long texts of a query are found before any of its fields is asked for. */
const readAhead: Plugin<GraphQLContext> = {
  async onExecute({ args, setResultAndStopExecution }) {
    const { models } = args.contextValue;
    const { strings, specialTokens } = spelt(args.document);
    const texts = [...strings, ...textsIn(args.variableValues)];
    try {
      await prepareTexts(models, texts, specialTokens);
    } catch (error) {
      if (!(error instanceof InfoflowError)) throw error;
      const { message, code, details } = error;
      const extensions = { code, ...details };
      setResultAndStopExecution({ errors: [new GraphQLError(message, { extensions })] });
    }
  },
};

const tellOperators: Plugin<GraphQLContext> = {
  onExecute({ args: { contextValue: { scope }, document, operationName } }) {
    scope.operation = operationOf(document, operationName);
  },
  onResultProcess({ result, serverContext }) {
    const { scope } = serverContext as unknown as GraphQLContext;
    if (!result || Symbol.asyncIterator in result || Array.isArray(result)) return;
    const [error] = result.errors ?? [];
    if (error) scope.code = String(error.extensions?.code);
  },
};

const codesForRequestErrors: Plugin<GraphQLContext> = {
  onResultProcess({ result }) {
    if (!result || Symbol.asyncIterator in result) return;
    for (const one of Array.isArray(result) ? result : [result]) {
      if (one.errors) one.errors = one.errors.map(ownMistake);
    }
  },
};
