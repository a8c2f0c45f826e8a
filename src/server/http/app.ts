import { Hono } from "hono";
import { Buffer } from "node:buffer";
import { cors } from "hono/cors";
import { type EngineRequest, idsOf, modelOf } from "../../requests/engine_request.ts";
import { GPT2_TOKENIZER } from "../../tokens/tokenizer.ts";
import { InfoflowError } from "../../errors.ts";
import type { Answer } from "../answers/answer.ts";
import { FEATURE_TABLES } from "../answers/feature_tables.ts";
import { ANSWERS } from "../answers/list.ts";
import type { LoadedModel } from "../answers/loaded_model.ts";
import { BATCH_FIELDS } from "../batch/batch_fields.ts";
import { BatchAnswers } from "./batch_answer.ts";
import type { Caller } from "../queue/caller.ts";
import { prepareTexts, textsIn } from "../answers/prepare_texts.ts";
import { HeldBytes } from "../graphql/held_bytes.ts";
import { makeYoga } from "../graphql/yoga.ts";
import type { Log } from "../observe/log.ts";
import { Metrics } from "../observe/metrics.ts";
import { traced } from "../observe/trace.ts";
import { arrowAnswer, wantedArrow, wantsCsv } from "./arrow_answer.ts";
import { arrowRepresentation, csvRepresentation, recentFiles } from "./arrow_representations.ts";
import { csvPathOf, GRAPHQL_PATH, kindOf, pathOf } from "../links/paths.ts";
import { type Link, readLink } from "../links/read_link.ts";
import { isMatrixField } from "../schema.ts";
import { graphiql, wantsGraphiQL } from "./graphiql.ts";
import { CORPUS_PATH, corpusAnswer } from "./corpus_answer.ts";
import type { FinishedRun } from "../corpus/finished_run.ts";
import { featureArrow, type FeatureField } from "./feature_arrow.ts";
import { FEATURES_PATH, FeaturesPage } from "./features_page.ts";
import { linkOrigin } from "./link_origin.ts";
import { PAGE_FILES, promptPage } from "./page.ts";
import { BytesInFlight } from "../queue/bytes_in_flight.ts";
import { answerTo, type Env, observe, type OpenRequests } from "./observe.ts";
import { respond } from "./representation.ts";
import { DEFAULT_POLICY, FEW_LINES, type LineOptions, type Policy } from "./policy.ts";
import { securityHeaders } from "./security_headers.ts";
import { limitBody, limitHead } from "./size_limits.ts";
import { refuseStrangers } from "./strangers.ts";
import { requireToken } from "./token.ts";

/** Dependencies of the app. */
export interface AppOptions {
  /** The models, the default one first; none while they are being loaded. */
  readonly models: () => readonly LoadedModel[];
  /** Where links to this server begin, if not at the request's own origin. */
  readonly publicUrl?: string | undefined;
  /** The finished run of a corpus that is shown. */
  readonly corpus?: FinishedRun | undefined;
  readonly log: Log;
  /** How many lines of the log were dropped because their reader did not take them. */
  readonly droppedLines?: (() => number) | undefined;
  readonly lines?: Partial<LineOptions> | undefined;
  readonly policy?: Partial<Policy> | undefined;
  /** Whether the server is about to stop and refuses new requests. */
  readonly isDraining?: () => boolean;
}

/** Bytes of Arrow files that are kept for clients that read them in ranges. */
const RECENT_FILES = 64 * 2 ** 20;

/** Health checks. They reveal no secrets, and need no token. */
const HEALTH_PATHS = ["/healthz", "/readyz"];

/** Answers requests over HTTP; part of an {@linkcode InfoflowServer}. */
export function makeApp(options: AppOptions): (request: Request) => Promise<Response> {
  const { models, publicUrl, log, isDraining = () => false } = options;
  const app = new Hono<Env>();
  const policy = { ...DEFAULT_POLICY, ...options.policy };
  const lines = { ...FEW_LINES, ...options.lines };
  const inFlight = new BytesInFlight(policy.bytesInFlight);
  const requests: OpenRequests = { open: 0 };
  const metrics = new Metrics(() => {
    // All models share one worker, which has the name of the first.
    const [first] = models();
    return new Map(first ? [[first.name, first.engine.stats]] : []);
  }, {
    answerBytes: () => inFlight.bytes,
    openRequests: () => requests.open,
    droppedLines: options.droppedLines ?? (() => 0),
  });
  const yoga = makeYoga({ log, introspection: policy.introspection });
  const recent = recentFiles(RECENT_FILES);
  const modelsFor = (scope: Caller): LoadedModel[] => {
    const loaded = models();
    if (loaded.length === 0) throw notYet();
    return loaded.map((model) => ({ ...model, engine: model.engine.for(scope) }));
  };
  const isGraphiQL = (request: Request): boolean => policy.graphiql && wantsGraphiQL(request);

  const promptOf = (work: EngineRequest): string => {
    const tokenizer = models()[modelOf(work)]?.tokenizer ?? GPT2_TOKENIZER;
    const ids = idsOf(work);
    const bytes = ids.slice(ids[0] === tokenizer.bos?.id ? 1 : 0).map((id) => tokenizer.bytes(id));
    return Buffer.concat(bytes).toString();
  };
  app.use(async (context, next) => {
    context.set("scope", context.env.scope);
    await next();
  });
  app.use(async ({ req: { path } }, next) => {
    if (isDraining() && !HEALTH_PATHS.includes(path)) throw stopping();
    await next();
  });
  letIn(app, policy, (request) => {
    const { pathname } = new URL(request.url);
    return pathname === "/" || pathname === CORPUS_PATH || FeaturesPage.isAt(pathname) ||
      pathname === GRAPHQL_PATH && isGraphiQL(request);
  });

  const { corpus } = options;
  const prompt = promptPage({
    hasCorpus: corpus !== undefined,
    hasToken: policy.token !== undefined,
    origins: policy.origins,
  });
  const files = [["/", prompt], ...PAGE_FILES] as const;
  for (const [path, file] of files) {
    app.get(path, ({ req: { raw }, var: { scope } }) => {
      scope.operation = "page";
      return file.answer(raw);
    });
  }
  const featuresPage = new FeaturesPage(policy.origins);
  for (const path of [FEATURES_PATH, `${FEATURES_PATH}/*`]) {
    app.get(path, ({ req: { raw }, var: { scope } }) => {
      scope.operation = "page";
      return featuresPage.answer(raw);
    });
  }
  if (corpus) {
    app.get(CORPUS_PATH, ({ req: { raw }, var: { scope } }) => {
      scope.operation = "page";
      return corpusAnswer(corpus, raw, policy.origins);
    });
  }
  app.all(GRAPHQL_PATH, async ({ req: { raw }, var: { scope } }) => {
    scope.operation = isGraphiQL(raw) ? "page" : "graphql";
    if (isGraphiQL(raw)) return graphiql(raw, policy.origins);
    const origin = publicUrl ?? linkOrigin(raw);
    const held = new HeldBytes();
    const hints = new Set<string>();
    const context = { scope, models: modelsFor(scope), origin, held, hints };
    const format = wantedArrow(raw);
    if (format) return await arrowAnswer(raw, format, { yoga, context, recent });
    return await held.fill(await traced("graphql", async () => await yoga.fetch(raw, context)));
  });
  for (const [field, answer] of Object.entries(ANSWERS)) {
    const isMatrix = isMatrixField(field);
    const ask = async (raw: Request, scope: Env["Variables"]["scope"]): Promise<AskedByLink> => {
      const { args, form } = readLink(field, new URL(raw.url).search, { isMatrix });
      const models = modelsFor(scope);
      await prepareTexts(models, textsIn(args), args.specialTokens === true);
      return { answer: answer(models, args), form };
    };
    app.get(pathOf(field), async ({ req: { raw }, var: { scope } }) => {
      scope.operation = `${kindOf(field)}.arrow`;
      const { answer, form } = await ask(raw, scope);
      const response = await respond(
        raw,
        wantsCsv(raw) ? csvRepresentation(answer) : arrowRepresentation(answer, form, recent),
      );
      response.headers.append("vary", "accept");
      return response;
    });
    app.get(csvPathOf(field), async ({ req: { raw }, var: { scope } }) => {
      scope.operation = `${kindOf(field)}.csv`;
      const { answer } = await ask(raw, scope);
      return await respond(raw, csvRepresentation(answer));
    });
  }
  for (const field of Object.keys(FEATURE_TABLES) as FeatureField[]) {
    app.get(pathOf(field), ({ req: { raw }, var: { scope } }) => {
      scope.operation = `${kindOf(field)}.arrow`;
      return featureArrow(field, raw, modelsFor(scope));
    });
  }
  const batches = new BatchAnswers({
    modelsFor,
    log,
    metrics,
    deadline: policy.deadline,
  });
  for (const field of BATCH_FIELDS) {
    app.post(pathOf(field), ({ req: { raw }, var: { scope } }) => {
      scope.operation = `${kindOf(field)}.arrow`;
      return batches.answer(field, raw);
    });
  }
  app.get("/healthz", (context) => {
    context.var.scope.operation = "health";
    return context.text("ok\n");
  });
  app.get("/readyz", async (context) => {
    context.var.scope.operation = "health";
    const state = isDraining() ? "stopping" : await readiness(models()[0]);
    return context.text(`${state}\n`, state === "ready" || state === "busy" ? 200 : 503);
  });
  app.get("/metrics", async ({ var: { scope } }) => {
    scope.operation = "health";
    const { type, body } = await metrics.text();
    return new Response(body, { headers: { "content-type": type } });
  });

  app.notFound((context) => {
    const { method, path } = context.req;
    const allowed = app.routes.filter((route) => route.path === path && route.method !== "ALL")
      .flatMap((route) => route.method === "GET" ? ["GET", "HEAD"] : [route.method]);
    if (allowed.length > 0) throw notAllowed(method, [...new Set(allowed)]);
    return context.text(`Nothing is at ${path}. The page is at /, GraphQL at /graphql\n`, 404);
  });
  app.onError((error, { req: { path }, var: { scope } }) => answerTo(error, { path, scope }, log));

  const observed = observe(
    policy,
    { log, metrics, inFlight, open: requests, promptOf, ...lines },
    async (request, scope) => await app.fetch(request, { scope }),
  );
  const outer = new Hono();
  outer.use(securityHeaders);
  outer.all("*", ({ req: { raw } }) => observed(raw));
  return async (request) => await outer.fetch(request);
}

/** The checks of every request before any work is done for it, cheap ones first. */
function letIn(app: Hono<Env>, policy: Policy, isPage: (request: Request) => boolean): void {
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

/** The question of a link. */
interface AskedByLink extends Pick<Link, "form"> {
  readonly answer: Answer;
}

/** The server's readiness, in a word. */
async function readiness(model: LoadedModel | undefined): Promise<string> {
  if (!model?.engine.isReady) return "loading";
  const health = await model.engine.health();
  return health === "failing" ? "not working" : health;
}

function notAllowed(method: string, allowed: readonly string[]): InfoflowError {
  const allow = allowed.join(", ");
  return new InfoflowError(
    "METHOD_NOT_ALLOWED",
    `Cannot answer ${method} as this path takes ${allow}`,
    { allow },
  );
}

function stopping(): InfoflowError {
  return new InfoflowError("OVERLOADED", "The server is stopping: ask again in a moment", {
    retryAfter: 10,
  });
}

function notYet(): InfoflowError {
  return new InfoflowError("OVERLOADED", "The model is still being loaded: ask again in a moment");
}
