import assert from "node:assert/strict";
import { Random } from "../support/random.ts";
import { FAULTS, promptFor } from "./fault.ts";
import { bodyFor, promptsFor, readAnswer } from "./prompts.ts";

/** All that can happen to a server. */
const EVENTS = [...FAULTS, "client cut", "process stopped"] as const;
type Event = typeof EVENTS[number];

/** How much of it. */
export interface FaultOptions {
  readonly seed: number;
  readonly faults: number;
  /** How long it may take until the answers are those of before, in ms; ten seconds by default. */
  readonly backMs?: number;
  readonly say?: (line: string) => void;
}

/** What came of it. */
export interface FaultReport {
  readonly happened: Readonly<Record<Event, number>>;
  /** Answers under load by what they were: `right`, or their codes. */
  readonly answers: Readonly<Record<string, number>>;
  /** The longest that a fault was felt, in ms. */
  readonly longestMs: number;
}

const CLIENTS = 6;
/** What a request under way may be told when something happens. */
const CODES = ["DEVICE_LOST", "OVERLOADED", "CANCELLED", "MATRIX_TOO_LARGE"];

/** Has things happen to a server under load, at random moments; after each, it answers as before. */
export async function runFaults(
  { seed, faults, backMs = 10_000, say = () => {} }: FaultOptions,
): Promise<FaultReport> {
  const random = new Random(seed);
  const prompts = promptsFor(20, 200, new Random(seed + 1));
  let server = await start();
  const expected: string[] = [];
  for (const prompt of prompts) {
    const answer = await ask(server.origin, prompt);
    assert(answer && "arrow" in answer);
    expected.push(answer.arrow);
  }

  const happened = Object.fromEntries(EVENTS.map((event) => [event, 0])) as Record<Event, number>;
  const answers: Record<string, number> = {};
  let isOver = false;
  let isStopped = false;
  const client = async (n: number): Promise<void> => {
    const own = new Random(1000 * seed + n);
    while (!isOver) {
      const index = own.below(prompts.length);
      const { origin } = server;
      let what: string;
      try {
        const answer = await ask(origin, prompts[index]!);
        assert(answer, "an answer that is neither an answer nor a refusal");
        if ("arrow" in answer) {
          assert.equal(answer.arrow, expected[index], "a wrong byte");
          what = "right";
        } else {
          assert(CODES.includes(answer.code), answer.code);
          what = answer.code;
        }
      } catch (error) {
        // Nobody listens for a moment only while the process is being started again.
        const isRestart = isStopped || origin !== server.origin;
        if (!(error instanceof TypeError) || !isRestart) throw error;
        what = "not connected";
        await pause(50);
      }
      answers[what] = (answers[what] ?? 0) + 1;
    }
  };
  const clients = Array.from({ length: CLIENTS }, (_, n) => client(n));
  let longestMs = 0;
  const events = async (): Promise<void> => {
    for (let n = 0; n < faults; n++) {
      // Each of them comes up, and then they come as they come.
      const event = n < EVENTS.length ? EVENTS[n]! : EVENTS[random.below(EVENTS.length)]!;
      await pause(50 + random.below(300));
      const began = performance.now();
      happened[event]++;
      if (event === "client cut") await cut(server.origin, prompts, random);
      else if (event === "process stopped") {
        isStopped = true;
        await server.stop();
        server = await start();
        isStopped = false;
      } else await ask(server.origin, promptFor(event));
      await isBack(server.origin, { prompts, expected, backMs });
      const took = performance.now() - began;
      longestMs = Math.max(longestMs, took);
      say(`${n + 1}. ${event}: the same answers after ${Math.round(took)} ms`);
    }
    isOver = true;
  };
  try {
    await Promise.all([...clients, events()]);
  } finally {
    isOver = true;
    await server.stop();
  }
  return { happened, answers, longestMs };
}

interface Server {
  readonly origin: string;
  stop(): Promise<void>;
}

async function start(): Promise<Server> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", new URL("faulty_server.ts", import.meta.url).pathname],
    stdout: "piped",
    stderr: "inherit", // it says errors only
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  if (!value) throw new Error("the server ended before it was ready");
  const origin = `http://127.0.0.1:${new TextDecoder().decode(value).trim()}`;
  return {
    origin,
    stop: async () => {
      child.kill("SIGTERM");
      const { code } = await child.status;
      await reader.cancel();
      assert.equal(code, 0, "SIGTERM is an orderly end");
    },
  };
}

/** Asks for long work, several times, and goes away at random. */
async function cut(origin: string, prompts: readonly string[], random: Random): Promise<void> {
  const asked = Array.from({ length: 8 }, async () => {
    const controller = new AbortController();
    const answer = ask(origin, `${prompts[1]} ${random.below(1e6)}`, controller.signal);
    await pause(random.below(60));
    controller.abort();
    await answer.catch(() => {});
  });
  await Promise.all(asked);
}

/** Waits until every prompt is answered as before. */
async function isBack(
  origin: string,
  { prompts, expected, backMs }: {
    prompts: readonly string[];
    expected: readonly string[];
    backMs: number;
  },
): Promise<void> {
  const deadline = performance.now() + backMs;
  for (let n = 0; n < prompts.length;) {
    const answer = await ask(origin, prompts[n]!);
    if (answer && "arrow" in answer) {
      assert.equal(answer.arrow, expected[n]);
      n++;
    } else {
      assert(performance.now() < deadline, `not back: ${JSON.stringify(answer)}`);
      await pause(50);
    }
  }
}

async function ask(
  origin: string,
  prompt: string,
  signal?: AbortSignal,
): Promise<ReturnType<typeof readAnswer>> {
  const response = await fetch(`${origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: bodyFor(prompt),
    ...(signal && { signal }),
  });
  return readAnswer(await response.text());
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
