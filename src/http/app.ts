import { Hono } from "hono";
import page from "../../web/index.html" with { type: "text" };
import { InfoflowError } from "../errors.ts";
import type { Log } from "../graphql/errors.ts";
import { GRAPHQL_PATH, makeYoga } from "../graphql/yoga.ts";
import { InfoFlow, type LoadedModel } from "../infoflow.ts";
import { ARROW_PATH } from "./arrow_url.ts";
import { parseFlowQuery } from "./flow_query.ts";
import { graphiql, wantsGraphiQL } from "./graphiql.ts";
import { maskedProblem, problem } from "./problem.ts";

/** What the server is made from. */
export interface AppOptions {
  /** The model, or nothing while it is being loaded. */
  readonly model: () => LoadedModel | undefined;
  /** Where links to this server begin, where that is not the request's own origin. */
  readonly publicUrl?: string | undefined;
  readonly log: Log;
}

/** The HTTP server; it never listens, requests are handed to its `fetch`. */
export function makeApp({ model, publicUrl, log }: AppOptions): Hono {
  const app = new Hono();
  const yoga = makeYoga(log);
  const loaded = (): LoadedModel => model() ?? notYet();

  app.get("/", (context) => context.html(page));
  app.all(GRAPHQL_PATH, ({ req: { raw } }) => {
    if (wantsGraphiQL(raw)) return graphiql(raw);
    return yoga.fetch(raw, {
      model: loaded(),
      origin: publicUrl ?? new URL(raw.url).origin,
    });
  });
  app.get(ARROW_PATH, ({ req: { raw } }) => flowArrow(loaded(), raw));
  app.get("/healthz", (context) => context.text("ok\n"));
  app.get("/readyz", (context) => {
    const isReady = model()?.engine.isReady === true;
    return context.text(isReady ? "ready\n" : "loading\n", isReady ? 200 : 503);
  });

  app.notFound((context) =>
    context.text(`Nothing is at ${context.req.path}. The page is at /, GraphQL at /graphql\n`, 404)
  );
  app.onError((error) => {
    if (error instanceof InfoflowError) return problem(error);
    const id = crypto.randomUUID();
    log(`error ${id}: ${error.stack ?? error.message}`);
    return maskedProblem(id);
  });
  return app;
}

function notYet(): never {
  throw new InfoflowError("OVERLOADED", "The model is still being loaded: ask again in a moment");
}

async function flowArrow(model: LoadedModel, request: Request): Promise<Response> {
  const { prompt, ...options } = parseFlowQuery(new URL(request.url).search);
  const infoFlow = new InfoFlow(model, prompt, options);
  const etag = `"${infoFlow.id}"`;
  const headers = {
    "content-type": "application/vnd.apache.arrow.stream",
    "content-disposition": `attachment; filename="info-flow-${infoFlow.id.slice(0, 8)}.arrows"`,
    "cache-control": "no-cache",
    etag,
  };
  if (request.headers.get("if-none-match") === etag) {
    return new Response(null, { status: 304, headers });
  }
  return new Response(await infoFlow.arrow() as Uint8Array<ArrayBuffer>, { headers });
}
