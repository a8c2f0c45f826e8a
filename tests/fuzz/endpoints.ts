import assert from "node:assert/strict";
import { tableFromIPC } from "@uwdata/flechette";
import { Random } from "../support/random.ts";
import { QueryGenerator } from "./query_generator.ts";
import { strangeText } from "./strange_text.ts";

/** Hands a request to the server. */
export type Fetch = (path: string, init?: RequestInit) => Promise<Response>;

/** What came of fuzzing an endpoint. */
export interface EndpointReport {
  readonly requests: number;
  /** Answers by what they were: `OK`, or their codes. */
  readonly answers: Readonly<Record<string, number>>;
  /** The longest that an answer took, in ms. */
  readonly slowestMs: number;
  /** What took so long. */
  readonly slowest: string;
  /** The longest that the event loop stood still, in ms: no other request was answered. */
  readonly stallMs: number;
}

/** The codes that a client may see for what it sent. */
const CODES = [
  "PROMPT_EMPTY",
  "PROMPT_TOO_LONG",
  "BAD_USER_INPUT",
  "MATRIX_TOO_LARGE",
  "BODY_TOO_LARGE",
  "URL_TOO_LONG",
];

/** Asks in GraphQL what a generator makes up that knows the schema. */
export async function fuzzGraphQL(
  fetch: Fetch,
  count: number,
  seed: number,
): Promise<EndpointReport> {
  const generator = new QueryGenerator(new Random(seed));
  return await run(count, async () => {
    const { query, variables } = generator.next();
    const body = JSON.stringify({ query, variables });
    const response = await fetch("/graphql", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    const { data, errors = [] } = await response.json();
    assert(errors.length > 0 || data, `neither data nor errors: ${body}`);
    for (const { message, extensions } of errors) {
      assert(CODES.includes(extensions?.code), `${extensions?.code} ${message}: ${body}`);
    }
    for (const { shape, values } of matricesIn(data)) checkNumbers(shape, values, body);
    return { what: errors[0]?.extensions.code ?? "OK", asked: body };
  });
}

const PARAMETERS: Readonly<Record<string, readonly string[]>> = {
  byLayer: ["true", "false", "1", ""],
  aggregation: ["MEAN", "NOTEBOOK", "ROLLOUT", "mean", "MEDIAN"],
  bos: ["DROP", "KEEP", "LOSE"],
  layers: ["0", "0,1", "5", "6", "-1", "0,0", "1.5", ","],
  heads: ["0", "7", "8", "0,1,2,3", "x"],
  layout: ["rows", "tensor", "tidy", "columns"],
  format: ["stream", "file", "csv"],
  method: ["ATTENTION", "NORM", "ALTI", "alti"],
  ablate: ["0.0", "3.1,3.2", "9.9", "1"],
  cells: ["1", "8", "0", "-3", "1e9"],
  model: ["bundled", "gpt5"],
  compare: ["true", "false"],
  difference: ["true", "false"],
  k: ["1", "5", "0"],
  nothing: ["1"],
};
const PATHS = ["/info-flow.arrow", "/attention.arrow"];

/** Asks for Arrow by links with all sorts of parameters. */
export async function fuzzLinks(
  fetch: Fetch,
  count: number,
  seed: number,
): Promise<EndpointReport> {
  const random = new Random(seed);
  return await run(count, async () => {
    const names = Object.keys(PARAMETERS).filter(() => random.below(6) === 0);
    const parts = names.map((name) =>
      `${name}=${PARAMETERS[name]![random.below(PARAMETERS[name]!.length)]}`
    );
    if (random.below(20) > 0) parts.push(`prompt=${encoded(strangeText(random), random)}`);
    if (random.below(30) === 0) {
      parts.push(["&&", "=", "prompt", "%", "%ff", "a=b=c"][random.below(6)]!);
    }
    const path = `${PATHS[random.below(PATHS.length)]}?${parts.join("&")}`;
    const response = await fetch(path);
    if (response.status === 200) {
      const table = tableFromIPC(await response.bytes());
      assert(table.numRows > 0, path);
      return { what: "OK", asked: path };
    }
    assert.match(response.headers.get("content-type")!, /^application\/problem\+json/, path);
    const { code, title } = await response.json();
    assert(CODES.includes(code), `${code} ${title}: ${path}`);
    return { what: code, asked: path };
  });
}

/** Percent-encodes, now and then wrongly. */
function encoded(text: string, random: Random): string {
  const bytes = Array.from(new TextEncoder().encode(text));
  const all = bytes.map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  return random.below(15) === 0 ? all.slice(0, random.below(all.length + 1)) : all;
}

async function run(
  count: number,
  ask: () => Promise<{ readonly what: string; readonly asked: string }>,
): Promise<EndpointReport> {
  const answers: Record<string, number> = {};
  let slowestMs = 0;
  let slowest = "";
  let [stallMs, lastTick] = [0, performance.now()];
  const ticker = setInterval(() => {
    const tick = performance.now();
    stallMs = Math.max(stallMs, tick - lastTick);
    lastTick = tick;
  }, 10);
  for (let n = 0; n < count; n++) {
    const began = performance.now();
    const { what, asked } = await ask();
    const took = performance.now() - began;
    answers[what] = (answers[what] ?? 0) + 1;
    if (took > slowestMs) [slowestMs, slowest] = [took, asked];
  }
  clearInterval(ticker);
  return { requests: count, answers, slowestMs, slowest, stallMs };
}

interface Numbers {
  readonly shape: readonly number[];
  readonly values: readonly number[];
}

function matricesIn(data: unknown): Numbers[] {
  if (typeof data !== "object" || data === null) return [];
  const found = Object.values(data).flatMap(matricesIn);
  return "shape" in data && "values" in data ? [...found, data as Numbers] : found;
}

/** Shares are numbers that are not below 0, as many as the shape says. */
function checkNumbers(shape: readonly number[], values: readonly number[], asked: string): void {
  assert.equal(values.length, shape.reduce((product, size) => product * size, 1), asked);
  for (const value of values) assert(Number.isFinite(value), `${value}: ${asked}`);
}
