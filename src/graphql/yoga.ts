import { createSchema, createYoga, type Plugin, type YogaServerInstance } from "graphql-yoga";
import typeDefs from "../../schema.graphql" with { type: "text" };
import type { GraphQLContext } from "./context.ts";
import { type Log, maskError, ownMistake } from "./errors.ts";
import { resolvers } from "./resolvers.ts";

/** Where the GraphQL endpoint is. */
export const GRAPHQL_PATH = "/graphql";

/** The GraphQL server; it never listens, requests are handed to its `fetch`. */
export type Yoga = YogaServerInstance<GraphQLContext, Record<never, never>>;

/** Makes the GraphQL server. What Yoga leaves open by default is shut: CORS, uploads, its own GraphiQL. */
export function makeYoga(log: Log): Yoga {
  return createYoga<GraphQLContext>({
    schema: createSchema<GraphQLContext>({ typeDefs, resolvers: { ...resolvers } }),
    graphqlEndpoint: GRAPHQL_PATH,
    maskedErrors: { maskError: (error) => maskError(error, log) },
    plugins: [codesForRequestErrors],
    graphiql: false,
    landingPage: false,
    cors: false,
    multipart: false,
    logging: false,
  });
}

const codesForRequestErrors: Plugin<GraphQLContext> = {
  onResultProcess({ result }) {
    if (!result || Symbol.asyncIterator in result) return;
    for (const one of Array.isArray(result) ? result : [result]) {
      if (one.errors) one.errors = one.errors.map(ownMistake);
    }
  },
};
