import { type Context, Hono } from "hono";
import { cors } from "hono/cors";
import { PassBudget } from "../engine/pass_budget.ts";
import { RequestEngine } from "../engine/request_engine.ts";
import { InfoflowError } from "../errors.ts";
import type { Log } from "../graphql/errors.ts";
import { GRAPHQL_PATH, makeYoga } from "../graphql/yoga.ts";
import { InfoFlow, type LoadedModel } from "../infoflow.ts";
import { arrowAnswer, wantedArrow } from "./arrow_answer.ts";
import { matrixRepresentation, recentFiles, tableRepresentation } from "./arrow_representations.ts";
import { ATTENTION_PATH, FLOW_PATH } from "./arrow_url.ts";
import { graphiql, wantsGraphiQL } from "./graphiql.ts";
import { type MatrixQuery, parseAttentionQuery, parseFlowQuery } from "./matrix_query.ts";
import { PAGE_FILES } from "./page.ts";
import { maskedProblem, problem } from "./problem.ts";
import { respond } from "./representation.ts";
import { securityHeaders } from "./security_headers.ts";
import { limitBody, limitHead } from "./size_limits.ts";
import { type Neighbours, refuseStrangers } from "./strangers.ts";
import { TABLES } from "./table_query.ts";
import { requireToken } from "./token.ts";

/** What the server is made from. */
export interface AppOptions {
  /** The model, or nothing while it is being loaded. */
  readonly model: () => LoadedModel | undefined;
  /** Where links to this server begin, where that is not the request's own origin. */
  readonly publicUrl?: string | undefined;
  readonly log: Log;
  readonly policy?: Partial<Policy>;
}

/** Whom the server answers, and how much one request may ask. */
export interface Policy extends Neighbours {
  /** What requests must bring, if anything. */
  readonly token: string | undefined;
  /** Different prompts that a request may have computed. */
  readonly passes: number;
  readonly introspection: boolean;
  readonly graphiql: boolean;
}

/** The policy of a server on loopback. */
export const DEFAULT_POLICY: Policy = {
  host: "127.0.0.1",
  names: [],
  origins: [],
  token: undefined,
  passes: 4,
  introspection: true,
  graphiql: true,
};

/** Bytes of Arrow files that are kept for whoever reads them by their parts. */
const RECENT_FILES = 64 * 2 ** 20;

/** What tells whether the server is well; no secret, and asked by programs that have none. */
const HEALTH_PATHS = ["/healthz", "/readyz"];

/** The HTTP server; it never listens, requests are handed to its `fetch`. */
export function makeApp({ model, publicUrl, log, policy: given }: AppOptions): Hono {
  const app = new Hono();
  const policy = { ...DEFAULT_POLICY, ...given };
  const yoga = makeYoga({ log, introspection: policy.introspection });
  const recent = recentFiles(RECENT_FILES);
  const forRequest = (): LoadedModel => {
    const { name, engine } = model() ?? notYet();
    return { name, engine: new RequestEngine(engine, new PassBudget(policy.passes)) };
  };
  const isGraphiQL = (request: Request): boolean => policy.graphiql && wantsGraphiQL(request);

  letIn(app, policy, (request) => {
    const { pathname } = new URL(request.url);
    return pathname === "/" || pathname === GRAPHQL_PATH && isGraphiQL(request);
  });

  for (const [path, file] of PAGE_FILES) app.get(path, ({ req: { raw } }) => file.answer(raw));
  app.all(GRAPHQL_PATH, ({ req: { raw } }) => {
    if (isGraphiQL(raw)) return graphiql(raw);
    const context = { model: forRequest(), origin: publicUrl ?? new URL(raw.url).origin };
    const format = wantedArrow(raw);
    return format ? arrowAnswer(raw, format, { yoga, context, recent }) : yoga.fetch(raw, context);
  });
  const matrix = (parse: (search: string) => MatrixQuery) => ({ req: { raw } }: Context) => {
    const { prompt, options, form } = parse(new URL(raw.url).search);
    const infoFlow = new InfoFlow(forRequest(), prompt, options);
    return respond(raw, matrixRepresentation(infoFlow, form, recent));
  };
  app.get(FLOW_PATH, matrix(parseFlowQuery));
  app.get(ATTENTION_PATH, matrix(parseAttentionQuery));
  for (const [path, answer] of Object.entries(TABLES)) {
    app.get(
      path,
      ({ req: { raw } }) =>
        respond(raw, tableRepresentation(answer(forRequest(), new URL(raw.url).search))),
    );
  }
  app.get("/healthz", (context) => context.text("ok\n"));
  app.get("/readyz", (context) => {
    const isReady = model()?.engine.isReady === true;
    return context.text(isReady ? "ready\n" : "loading\n", isReady ? 200 : 503);
  });

  app.notFound((context) =>
    context.text(`Nothing is at ${context.req.path}. The page is at /, GraphQL at /graphql\n`, 404)
  );
  app.onError((error, { req: { path } }) => {
    if (error instanceof InfoflowError) return problem(error, path);
    const id = crypto.randomUUID();
    log(`error ${id}: ${error.stack ?? error.message}`);
    return maskedProblem(id, path);
  });
  return app;
}

/** What every request goes through before anything is done for it, cheap checks first. */
function letIn(app: Hono, policy: Policy, isPage: (request: Request) => boolean): void {
  app.use(securityHeaders);
  app.use(limitHead);
  app.use(refuseStrangers(policy, isPage));
  if (policy.origins.length > 0) {
    app.use(cors({
      origin: [...policy.origins],
      allowHeaders: ["authorization", "content-type", "if-none-match", "range"],
      exposeHeaders: [
        "content-disposition",
        "content-length",
        "content-range",
        "etag",
        "retry-after",
      ],
      maxAge: 600,
    }));
  }
  if (policy.token !== undefined) app.use(requireToken(policy.token, HEALTH_PATHS));
  app.use(limitBody);
}

function notYet(): never {
  throw new InfoflowError("OVERLOADED", "The model is still being loaded: ask again in a moment");
}
