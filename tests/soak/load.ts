/**
 * Load from outside the server's process, by autocannon; prints what became of it as JSON.
 *
 *     deno run -A tests/soak/load.ts ORIGIN OPTIONS
 */
// @ts-types="@types/autocannon"
import autocannon from "autocannon";
import { Random } from "../support/random.ts";
import { type BadClients, behaveBadly } from "./bad_clients.ts";
import { bodyFor, readAnswer } from "./prompts.ts";

/** How to load a server. */
export interface LoadOptions {
  /** Prompts with the answers to expect, in base64. */
  readonly expected: readonly (readonly [prompt: string, arrow: string])[];
  /** How many of the first prompts are asked half of the time. */
  readonly hot: number;
  readonly seed: number;
  readonly seconds: number;
  readonly connections: number;
  /** Requests a second; without it, as many as there are answers. */
  readonly rate?: number | undefined;
  /** Clients that leave or read slowly, beside those. */
  readonly bad?: BadClients | undefined;
}

/** What became of it. Times are in ms. */
export interface LoadReport {
  readonly seconds: number;
  readonly right: number;
  readonly wrong: number;
  /** Refusals by their codes. */
  readonly refused: Readonly<Record<string, number>>;
  /** Answers that are neither, with the first of them. */
  readonly strange: number;
  readonly example: string | undefined;
  /** Connections that broke or timed out. */
  readonly broken: number;
  readonly rightMs: Percentiles;
  readonly refusedMs: Percentiles;
  /** How often bad clients left, and how many answers they read slowly. */
  readonly left?: number;
  readonly readSlowly?: number;
}

export interface Percentiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

const REFUSALS = ["OVERLOADED", "DEADLINE_EXCEEDED"];

async function load(origin: string, options: LoadOptions): Promise<LoadReport> {
  const { expected, hot, seconds, connections, rate } = options;
  const random = new Random(options.seed);
  const rightMs: number[] = [];
  const refusedMs: number[] = [];
  const refused: Record<string, number> = {};
  let [wrong, strange] = [0, 0];
  let example: string | undefined;
  const began = performance.now();
  let isOver = false;
  const bad = options.bad && behaveBadly(origin, expected.map(([prompt]) => prompt), {
    ...options.bad,
    random: new Random(options.seed + 1),
    isOver: () => isOver,
  });
  const result = await autocannon({
    url: origin,
    connections,
    duration: seconds,
    timeout: 60,
    ...(rate !== undefined && { overallRate: rate }),
    requests: [{
      method: "POST",
      path: "/graphql",
      headers: { "content-type": "application/json" },
      setupRequest: (request, context) => {
        const index = random.below(random.uniform() < 0.5 ? hot : expected.length);
        Object.assign(context, { index, since: performance.now() });
        return { ...request, body: bodyFor(expected[index]![0]) };
      },
      onResponse: (_status, body, context) => {
        const { index, since } = context as { index: number; since: number };
        const took = performance.now() - since;
        const answer = readAnswer(body);
        if (answer && "arrow" in answer) {
          rightMs.push(took);
          if (answer.arrow !== expected[index]![1]) wrong++;
        } else if (answer && REFUSALS.includes(answer.code)) {
          refusedMs.push(took);
          refused[answer.code] = (refused[answer.code] ?? 0) + 1;
        } else {
          strange++;
          example ??= body.slice(0, 300);
        }
      },
    }],
  });
  isOver = true;
  return {
    ...await bad,
    seconds: (performance.now() - began) / 1000,
    right: rightMs.length - wrong,
    wrong,
    refused,
    strange,
    example,
    broken: result.errors,
    rightMs: percentiles(rightMs),
    refusedMs: percentiles(refusedMs),
  };
}

function percentiles(numbers: number[]): Percentiles {
  const sorted = numbers.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    Math.round(10 * (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0)) /
    10;
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99), max: at(1) };
}

if (import.meta.main) {
  const [origin, file] = Deno.args as [string, string];
  const report = await load(origin, JSON.parse(await Deno.readTextFile(file)));
  console.log(JSON.stringify(report));
  Deno.exit(0);
}
