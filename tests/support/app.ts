import { InfoflowServer, type ServerOptions } from "../../src/server/serving/server.ts";

const MIB = 2 ** 20;

/** A server in front of the bundled model, which never listens. */
export interface TestApp {
  /** The server that `deno task serve` runs. */
  readonly server: InfoflowServer;
  /** What it wrote to its log. */
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

/** What sets a test's server apart from the usual one. */
export interface TestAppOptions extends Omit<ServerOptions, "models" | "writeLine"> {
  readonly models?: Partial<ServerOptions["models"]>;
  /** Whether its models are to be loaded; they are, if nothing is said. */
  readonly isLoaded?: boolean;
}

/** Where the server believes it is. */
export const ORIGIN = "http://infoflow.test:1234";

/** A worker that answers no request: it begins the first batch, and that is all. */
export const BLOCKED_WORKER = new URL("./blocked_worker.ts", import.meta.url);

/** Makes a server as `deno task serve` does, for as long as `use` runs. */
export async function withApp(
  use: (app: TestApp) => Promise<void>,
  { models, isLoaded = true, ...options }: TestAppOptions = {},
): Promise<void> {
  const log: string[] = [];
  const server = new InfoflowServer({
    ...options,
    models: { asked: ["bundled"], cacheBytes: 64 * MIB, ...models },
    policy: { names: ["infoflow.test"], ...options.policy },
    writeLine: (line) => log.push(line),
  });
  const fetch: TestApp["fetch"] = (path, init) => server.fetch(new Request(ORIGIN + path, init));
  const query: TestApp["query"] = async (query, variables) => {
    const response = await fetch("/graphql", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query, variables }),
    });
    return await response.json();
  };
  if (isLoaded) await server.load();
  try {
    await use({ server, log, fetch, query });
  } finally {
    await server.close();
  }
}
