import type { Question } from "../questions/question.ts";
import { Engine, type FlowRequest, MOST_REQUESTS } from "./engine.ts";
import { type Calls, type Reply, type Request, sendError } from "./protocol.ts";

/** The side of a channel that the worker has: its global scope, or a `MessagePort`. */
export interface Channel {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown, transfer: Transferable[]): void;
}

/** New prompts are computed in one pass up to so many tokens; beyond it they only wait for each other. */
const MOST_TOKENS = 64;

interface Waiting {
  /** A matrix or another question. */
  readonly request: FlowRequest | Question;
  resolve(outcome: Outcome): void;
  reject(reason: unknown): void;
}

type Outcome = Calls["flow" | "ask"]["result"];

/**
 * Answers calls with an engine that it makes at the call `start`. Flows are computed in the order of their calls, those
 * of short prompts that wait at the same time together.
 *
 * @param onStart Told of the engine, once.
 */
export function serveEngine(channel: Channel, onStart: (engine: Engine) => void = () => {}): void {
  const reply = (message: Reply, transfer: Transferable[] = []): void =>
    channel.postMessage(message, transfer);
  const queue: Waiting[] = [];
  let isBusy = false;
  let engine: Engine | undefined;
  let isLost = false;

  const start = async (argument: Calls["start"]["argument"]): Promise<Calls["start"]["result"]> => {
    const onProgress = (done: number, total: number): void => reply({ progress: [done, total] });
    engine = await Engine.create({ ...argument, onProgress });
    engine.lost.then((lost) => {
      isLost = true;
      reply({ lost });
    });
    onStart(engine);
    return engine.info;
  };
  const work = async (): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    while (queue.length > 0) {
      const batch = queue.splice(0, batchSize(queue));
      const outcomes = await answerAll(started(engine), batch.map(({ request }) => request));
      outcomes.forEach((outcome, index) => {
        if (outcome.status === "fulfilled") batch[index]!.resolve(outcome.value);
        else batch[index]!.reject(outcome.reason);
      });
      await nextTurn(); // lets in what was asked meanwhile
    }
    isBusy = false;
  };
  const wait = (request: Waiting["request"]): Promise<Outcome> => {
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    queue.push({ request, resolve, reject });
    work();
    return promise;
  };
  const answer = (request: Request): unknown => {
    switch (request.call) {
      case "start":
        return start(request.argument);
      case "flow":
      case "ask":
        return wait(request.argument);
      case "cacheStats":
        return started(engine).cacheStats;
    }
  };
  channel.onmessage = async ({ data }) => {
    const request = data as Request;
    try {
      const result = await answer(request) as Calls[keyof Calls]["result"];
      reply({ id: request.id, result }, "flow" in result ? [result.flow.buffer] : []);
    } catch (error) {
      // The news of a lost device comes a turn after the first call that it fails; it answers this one too.
      await nextTurn();
      if (!isLost) reply({ id: request.id, error: sendError(error) });
    }
  };
}

/** How many of the first requests to answer together: matrices, while they are short, and questions one by one. */
function batchSize(queue: readonly Waiting[]): number {
  let tokens = 0;
  const size = queue.slice(0, MOST_REQUESTS).findIndex(({ request }) =>
    isQuestion(request) || (tokens += request.ids.length) > MOST_TOKENS
  );
  return size < 0 ? Math.min(queue.length, MOST_REQUESTS) : Math.max(1, size);
}

function isQuestion(request: Waiting["request"]): request is Question {
  return "name" in request;
}

async function answerAll(
  engine: Engine,
  requests: readonly Waiting["request"][],
): Promise<PromiseSettledResult<Outcome>[]> {
  const [first] = requests;
  return isQuestion(first!)
    ? await Promise.allSettled([engine.ask(first.name, first.argument)])
    : await engine.flows(requests as readonly FlowRequest[]);
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function started(engine: Engine | undefined): Engine {
  if (!engine) throw new TypeError("Cannot ask the engine as it was not started");
  return engine;
}
