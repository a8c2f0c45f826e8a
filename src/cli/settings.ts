import type { WeightType } from "../requests/weight_type.ts";
import { BACKLOG, MOST_CONNECTIONS, PATIENCE_MS } from "../server/http/listen.ts";
import { DEFAULT_POLICY, type LineOptions, type Policy } from "../server/http/policy.ts";
import { MOST_WAITING } from "../server/queue/request_queue.ts";
import type { LogFormat } from "../server/observe/log.ts";
import { weightType } from "./weight_type.ts";
import type { AdapterChoice } from "../engine/gpu/find_adapter.ts";
import { CARDS_VARIABLE, cardsIn } from "./cards.ts";
import { parseFlags, UsageError, wholeNumber } from "./flags.ts";
import { SERVE_FLAGS } from "./serve_flags.ts";

/** How to serve. */
export interface ServeSettings {
  readonly host: string;
  readonly port: number;
  /** The default one first; empty for gpt2 if it is there, else the bundled one. */
  readonly models: readonly string[];
  readonly cacheBytes: number;
  readonly weightType: WeightType;
  /** Autoencoders, as they were asked for. */
  readonly saes: readonly string[];
  readonly saeBytes: number;
  /** The directory of a finished run that is shown. */
  readonly corpus: string | undefined;
  /** Directories of dashboards. */
  readonly dashboards: readonly string[];
  readonly publicUrl: string | undefined;
  readonly policy: Policy;
  readonly lines: LineOptions;
  /** Requests that may wait for the device. */
  readonly mostWaiting: number;
  /** Connections that may be open at once. */
  readonly mostConnections: number;
  readonly adapter: AdapterChoice;
  /** How long a request may take to arrive, in ms. */
  readonly arrivalMs: number;
  /** How long an answer may lie without being read, in ms. */
  readonly stallMs: number;
  readonly tune: boolean;
  /** Whether the end of standard input stops the server. */
  readonly stopWithStdin: boolean;
  readonly help: boolean;
}

const MIB = 2 ** 20;

/** The variable that tells how many files the process may have open. */
export const OPEN_FILES_VARIABLE = "INFOFLOW_OPEN_FILES";
/** Open files that are not connections: about 40, files being read, and connections that wait to be closed. */
const OWN_FILES = 96 + BACKLOG;
const LEAST_CONNECTIONS = 8;

/** The variable of the token. It is no flag: other users of a machine see the arguments of programs. */
export const TOKEN_VARIABLE = "INFOFLOW_TOKEN";
/** Characters of a token that can't be guessed. */
export const LEAST_TOKEN = 16;

/**
 * Reads the settings of `serve` from its arguments and the environment.
 *
 * @throws {UsageError} If one is wrong.
 */
export function serveSettings(args: string[]): ServeSettings {
  const { values, positionals } = parseFlags(args, SERVE_FLAGS);
  if (positionals.length > 0) throw new UsageError(`serve takes flags only, not ${positionals[0]}`);
  const number = (name: keyof typeof SERVE_FLAGS, missing: number, most: number, least = 0) =>
    wholeNumber(name, text(name) ?? String(missing), { least, most });
  const text = (name: keyof typeof SERVE_FLAGS): string | undefined =>
    values.get(name) as string | undefined;
  const host = (text("host") ?? DEFAULT_POLICY.host).replace(/^\[(.*)\]$/, "$1");
  const url = publicUrl(text("public-url"));
  const token = Deno.env.get(TOKEN_VARIABLE) || undefined;
  if (!isLoopback(host) && !token && values.get("open") !== true) {
    throw new UsageError(
      `--host ${host} lets other machines in: choose a token and give it in ${TOKEN_VARIABLE}, ` +
        "or say --open to let everybody ask",
    );
  }
  const names = [...list(text("allow-host")), ...(url ? [new URL(url).hostname] : [])];
  const origins = list(text("allow-origin")).map(origin);
  const patience = 1000 * number("patience", PATIENCE_MS / 1000, 3600, 1);
  if (token !== undefined) {
    checkToken(token, isLoopback(host) && names.length === 0 && origins.length === 0);
  }
  return {
    host,
    port: number("port", 8000, 65535),
    models: models(values.get("model") as readonly string[] | undefined),
    cacheBytes: MIB * number("cache-mib", 1024, 2 ** 24),
    weightType: weightType(text("weights")),
    saes: (values.get("sae") as readonly string[] | undefined) ?? [],
    dashboards: (values.get("dashboards") as readonly string[] | undefined) ?? [],
    saeBytes: MIB * number("sae-mib", 1024, 2 ** 24),
    mostWaiting: number("max-waiting", MOST_WAITING, 100_000, 1),
    mostConnections: Math.min(
      number("max-connections", MOST_CONNECTIONS, 100_000, 1),
      connectionsFor(Deno.env.get(OPEN_FILES_VARIABLE)),
    ),
    arrivalMs: patience,
    stallMs: patience,
    corpus: text("corpus"),
    publicUrl: url,
    lines: {
      format: logFormat(text("log") ?? "json"),
      requests: true,
      prompts: values.get("log-prompts") === true,
    },
    policy: {
      host,
      names,
      origins,
      token,
      passes: number("max-passes", DEFAULT_POLICY.passes, 1000, 1),
      deadline: 1000 * number("deadline", DEFAULT_POLICY.deadline / 1000, 86_400, 1),
      answerBytes: MIB * number("max-answer-mib", DEFAULT_POLICY.answerBytes / MIB, 2 ** 20, 1),
      bytesInFlight: MIB *
        number("max-in-flight-mib", DEFAULT_POLICY.bytesInFlight / MIB, 2 ** 20, 1),
      introspection: values.get("no-introspection") !== true,
      graphiql: values.get("no-graphiql") !== true,
    },
    adapter: {
      adapter: values.get("adapter") as string | undefined,
      cards: cardsIn(Deno.env.get(CARDS_VARIABLE)),
    },
    tune: values.get("tune") === true,
    stopWithStdin: values.get("stop-with-stdin") === true,
    help: values.get("help") === true,
  };
}

/** @throws {UsageError} If a token can't be sent in a header, or can be guessed. */
function checkToken(token: string, isForThisMachine: boolean): void {
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new UsageError(
      `${TOKEN_VARIABLE} must be of ASCII characters without spaces, as headers are: ` +
        "`openssl rand -hex 24` makes one",
    );
  }
  if (token.length >= LEAST_TOKEN || isForThisMachine) return;
  throw new UsageError(
    `${TOKEN_VARIABLE} must have ${LEAST_TOKEN} characters or more where other machines may ask: ` +
      `current value has ${token.length}; \`openssl rand -hex 24\` makes one`,
  );
}

/** How many connections a limit of open files leaves room for. */
function connectionsFor(openFiles: string | undefined): number {
  if (openFiles === undefined || !/^\d+$/.test(openFiles)) return Infinity; // not known, or there is no limit
  return Math.max(LEAST_CONNECTIONS, Number(openFiles) - OWN_FILES);
}

function models(names: readonly string[] = []): readonly string[] {
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return names;
  throw new UsageError(`--model must name different models: current value has ${twice} twice`);
}

function publicUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (!url || !["http:", "https:"].includes(url.protocol)) {
    throw new UsageError(`--public-url must be an http or https URL: current value is ${text}`);
  }
  return url.href;
}

/** Whether only programs on this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(\.\d+){3}$/.test(host);
}

function logFormat(text: string): LogFormat {
  if (text === "json" || text === "text") return text;
  throw new UsageError(`--log must be json or text: current value is ${text}`);
}

function list(text: string | undefined): string[] {
  return (text ?? "").split(",").map((item) => item.trim()).filter(Boolean);
}

function origin(text: string): string {
  const url = URL.parse(text);
  if (!url || url.origin !== text) {
    throw new UsageError(
      `--allow-origin must be origins, such as https://notes.example: current value is ${text}`,
    );
  }
  return text;
}
