import { type LineOptions, makeApp, type Policy } from "../../src/server/http/app.ts";
import { withModel } from "./model.ts";

/** An app in front of the bundled model, which never listens. */
export interface TestApp {
  /** What the app wrote to its log. */
  readonly log: string[];
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** Asks in GraphQL. */
  query(query: string, variables?: Record<string, unknown>): Promise<GraphQLAnswer>;
}

/** What GraphQL answers. */
export interface GraphQLAnswer {
  // deno-lint-ignore no-explicit-any -- whatever was asked for
  readonly data: any;
  readonly errors?: { message: string; path?: string[]; extensions: Record<string, unknown> }[];
}

/** Where the app believes it is. */
export const ORIGIN = "http://infoflow.test:1234";

/** Makes an app for as long as `use` runs. */
export async function withApp(
  use: (app: TestApp) => Promise<void>,
  policy: Partial<Policy> = {},
  lines: Partial<LineOptions> = {},
): Promise<void> {
  await withModel(async (model) => {
    const log: string[] = [];
    const app = makeApp({
      models: () => [model],
      log: (line) => log.push(line),
      lines,
      policy: { names: ["infoflow.test"], ...policy },
    });
    const fetch: TestApp["fetch"] = async (path, init) =>
      await app.fetch(new Request(ORIGIN + path, init));
    await use({
      log,
      fetch,
      query: async (query, variables) => {
        const response = await fetch("/graphql", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ query, variables }),
        });
        return await response.json();
      },
    });
  });
}
