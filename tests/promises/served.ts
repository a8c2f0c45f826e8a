import { BUNDLED } from "../support/fixtures.ts";
import { MANY_HEADS, withLongModel } from "../soak/model.ts";
import { withServer } from "../support/serve.ts";
import { Client, words } from "./client.ts";

/** A process that `deno task serve` started, and what a promise about it has to know. */
export interface Served {
  readonly client: Client;
  /** Tokens that the model takes. */
  readonly context: number;
  /** How many heads it has, in all layers together. */
  readonly heads: number;
  /** How long a request may take, in seconds. */
  readonly deadline: number;
  /** What {@linkcode LONG} words take when nothing else is asked, in ms. */
  readonly timeOfLong: number;
  /** What it has written to stderr so far. */
  readonly log: () => string;
}

/** Something that holds for a process that serves; it throws if that is not so. */
export type Promised = (served: Served) => Promise<void>;

/** Words of a long prompt, which both models take. */
export const LONG = 200;
/** What a test machine that does other work besides adds to any time, in ms. */
export const SLACK_MS = 1500;

/** The limits of the processes, small enough that a test reaches them. */
export const LIMITS = {
  "max-connections": 48,
  "max-waiting": 24,
  "max-answer-mib": 20,
  "max-in-flight-mib": 30,
  patience: 2,
};

/** The models that the promises are tested on: the one that comes with the project, and one as slow as GPT-2. */
export const MODELS = {
  bundled: {
    context: 256,
    heads: 6 * 8,
    deadline: 8,
    run: (use: (model: string) => Promise<void>) => use(BUNDLED),
  },
  slow: {
    context: 1024,
    deadline: 15,
    heads: MANY_HEADS.n_layer * MANY_HEADS.n_head,
    run: (use: (model: string) => Promise<void>) => withLongModel(use, MANY_HEADS),
  },
};

/** Starts the process, for as long as `use` runs. */
export function withServed(
  { context, heads, deadline, run }: typeof MODELS[keyof typeof MODELS],
  use: (served: Served, stop: (signal: Deno.Signal) => Promise<number>) => Promise<void>,
): Promise<void> {
  return run((model) => {
    const limits = Object.entries({ ...LIMITS, deadline }).flatMap((
      [flag, limit],
    ) => [`--${flag}`, String(limit)]);
    return withServer(async ({ origin, stop, log }) => {
      const client = new Client(origin);
      await client.flow(words(LONG, 999));
      const began = performance.now();
      await client.flow(words(LONG, 998));
      const timeOfLong = performance.now() - began;
      await use({ client, context, heads, deadline, timeOfLong, log }, stop);
    }, { args: ["--model", model, ...limits] });
  });
}

/** Waits for some ms. */
export function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
