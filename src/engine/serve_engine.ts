import { Engine, type FlowResult } from "./engine.ts";
import { type Calls, type Reply, type Request, sendError } from "./protocol.ts";

/** The side of a channel that the worker has: its global scope, or a `MessagePort`. */
export interface Channel {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown, transfer: Transferable[]): void;
}

/**
 * Answers calls with an engine that it makes at the call `start`. Flows are computed one after the other, in the order
 * of their calls.
 *
 * @param onStart Told of the engine, once.
 */
export function serveEngine(channel: Channel, onStart: (engine: Engine) => void = () => {}): void {
  const reply = (message: Reply, transfer: Transferable[] = []): void =>
    channel.postMessage(message, transfer);
  let engine: Engine | undefined;
  let isLost = false;
  let previous: Promise<unknown> = Promise.resolve();

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
  const flow = ({ ids, options }: Calls["flow"]["argument"]): Promise<FlowResult> => {
    const turn = previous.then(() => started(engine).flow(ids, options));
    previous = turn.catch(() => {});
    return turn;
  };
  const answer = (request: Request): unknown => {
    switch (request.call) {
      case "start":
        return start(request.argument);
      case "flow":
        return flow(request.argument);
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
      await new Promise((resolve) => setTimeout(resolve, 0));
      if (!isLost) reply({ id: request.id, error: sendError(error) });
    }
  };
}

function started(engine: Engine | undefined): Engine {
  if (!engine) throw new TypeError("Cannot ask the engine as it was not started");
  return engine;
}
