import type { CacheUse } from "../engine/activations/cache_use.ts";
import { allocatedBytes } from "../engine/gpu/allocate.ts";
import { CancelFlags } from "./cancel_flags.ts";
import { createEngine } from "./create_engine.ts";
import type { Engine } from "../engine/engine.ts";
import {
  type Batch,
  type BatchResult,
  type Calls,
  type MemoryStats,
  type Reply,
  type Request,
  sendError,
  type SentOutcome,
} from "./protocol.ts";
import type { Question } from "../requests/questions.ts";
import {
  type EngineRequest,
  type EngineResult,
  isQuestion,
  type MatrixRequest,
  modelOf,
} from "../requests/engine_request.ts";

/** The side of a channel that the worker has: its global scope, or a `MessagePort`. */
export interface Channel {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown, transfer: Transferable[]): void;
}

/**
 * Answers calls with engines that it makes at the call `start`, one for each model, all on one device. Batches are
 * computed one after the other, in the order of their calls; requests whose callers are gone are left out.
 *
 * @param onStart Told of the first engine, once.
 */
export function serveEngine(channel: Channel, onStart: (engine: Engine) => void = () => {}): void {
  const reply = (message: Reply, transfer: Transferable[] = []): void =>
    channel.postMessage(message, transfer);
  const engines: Engine[] = [];
  let flags = new CancelFlags();
  let last: Promise<unknown> = Promise.resolve();
  let isLost = false;

  const start = async (argument: Calls["start"]["argument"]): Promise<Calls["start"]["result"]> => {
    flags = new CancelFlags(argument.flags);
    for (const [model, directory] of argument.directories.entries()) {
      const onProgress = (done: number, total: number): void =>
        reply({ progress: [done, total, model] });
      const shared = engines[0]?.shared;
      const saes = argument.saes?.[model];
      engines.push(await createEngine({ ...argument, directory, saes, onProgress, shared }));
    }
    const first = started(engines);
    first.lost.then((lost) => {
      isLost = true;
      reply({ lost });
    });
    onStart(first);
    return engines.map(({ info }) => info);
  };
  const answerAll = async ({ requests, cache }: Batch): Promise<BatchResult> => {
    const began = now();
    const asked = requests.map(({ work, slot }) => {
      const isBegun = flags.begin(slot);
      const isWanted = (): boolean => {
        flags.beat();
        return isBegun && !flags.isCancelled(slot);
      };
      return { work, isWanted };
    });
    const engine = started(engines, modelOf(requests[0]!.work));
    const settled = await settle(engine, asked, cache);
    const outcomes = settled.map((outcome): SentOutcome =>
      outcome.status === "fulfilled"
        ? { value: outcome.value }
        : { error: sendError(outcome.reason) }
    );
    const ended = now();
    if (outcomes.some(isUnexpected)) await checkDevice();
    const { submitted, read } = engine.lastRun;
    return { outcomes, began, ended, submitted, read, memory: memory() };
  };
  const memory = (): MemoryStats => {
    return { cache: started(engines).cacheStats, deviceBytes: allocatedBytes() };
  };
  const probe = async (): Promise<MemoryStats> => {
    await started(engines).probe();
    return memory();
  };
  const timePass = async ({ model, tokens }: Calls["timePass"]["argument"]): Promise<number> => {
    const ids = new Array<number>(tokens).fill(0);
    const began = now();
    await started(engines, model).run([{ ids }], { cache: "none" }, async (run) => {
      const { mean: buffer } = run.prompts[0]!.activations;
      await run.read({ result: [{ buffer, bytes: Float32Array.BYTES_PER_ELEMENT }] });
    });
    return now() - began;
  };
  /** Runs after an unexpected error: a device that can't compute even one token is of no use any more. */
  const checkDevice = async (): Promise<void> => {
    // The news of a lost device comes a turn after the first call that it fails; it answers this one too.
    await nextTurn();
    if (isLost) return;
    try {
      await probe();
    } catch (error) {
      isLost = true;
      reply({ lost: `it computes nothing any more: ${(error as Error).message}` });
    }
  };
  const stop = (): null => {
    isLost = true; // which was asked for: no one has to be told
    engines[0]?.destroy(); // and with it the device of all
    return null;
  };
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(() => {
      flags.beat();
      return work();
    });
    last = turn.catch(() => {});
    return turn;
  };
  const answer = (request: Request): unknown => {
    switch (request.call) {
      case "start":
        return start(request.argument);
      case "answer":
        return inTurn(() => answerAll(request.argument));
      case "probe":
        return inTurn(probe);
      case "timePass":
        return inTurn(() => timePass(request.argument));
      case "stop":
        return inTurn(() => Promise.resolve(stop()));
      case "cacheStats":
        return started(engines).cacheStats;
    }
  };
  channel.onmessage = async ({ data }) => {
    const request = data as Request;
    try {
      const result = await answer(request) as Calls[keyof Calls]["result"];
      if (isLost && request.call !== "stop") return;
      reply(
        { id: request.id, result },
        typeof result === "object" && result && "outcomes" in result ? buffersOf(result) : [],
      );
    } catch (error) {
      await nextTurn();
      if (!isLost) reply({ id: request.id, error: sendError(error) });
    }
  };
}

interface Asked {
  readonly work: EngineRequest;
  isWanted(): boolean;
}

/** Answers matrices together, or questions. */
async function settle(
  engine: Engine,
  asked: readonly Asked[],
  cache: CacheUse | undefined,
): Promise<PromiseSettledResult<EngineResult>[]> {
  const [{ work }] = asked as [Asked];
  if (isQuestion(work)) {
    const questions = asked.map(({ work, isWanted }) => ({ question: work as Question, isWanted }));
    return await engine.asks(questions, cache);
  }
  const flows = asked.map(({ work, isWanted }) => ({ ...work as MatrixRequest, isWanted }));
  return await engine.flows(flows, { cache });
}

function isUnexpected(outcome: SentOutcome): boolean {
  return "error" in outcome && outcome.error.code === undefined;
}

function buffersOf({ outcomes }: BatchResult): Transferable[] {
  return outcomes.flatMap((outcome) =>
    "value" in outcome && "flow" in outcome.value ? [outcome.value.flow.buffer] : []
  );
}

function now(): number {
  return performance.timeOrigin + performance.now();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

function started(engines: readonly Engine[], model = 0): Engine {
  const engine = engines[model];
  if (!engine) throw new TypeError("Cannot ask the engine as it was not started");
  return engine;
}
