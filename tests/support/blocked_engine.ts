import { CallBoard } from "../../src/thread/cancel_flags.ts";
import { EngineWorker } from "../../src/server/queue/engine_worker.ts";
import type { Batch, BatchResult } from "../../src/thread/protocol.ts";
import type { ModelEngine } from "../../src/server/queue/request_engine.ts";
import { type QueueStats, WorkQueue } from "../../src/server/queue/request_queue.ts";
import type { WorkerThread } from "../../src/thread/worker_thread.ts";

/** An engine with a real queue in front of a worker that begins one batch and answers none. */
export function blockedEngine(
  { info, isReady }: ModelEngine,
  mostWaiting: number,
): { engine: EngineWorker; stats: () => QueueStats } {
  const board = new CallBoard();
  let isBusy = false;
  const answer = ({ requests }: Batch): Promise<BatchResult> => {
    if (!isBusy) { for (const { place } of requests) board.begin(place); }
    isBusy = true;
    return new Promise(() => {});
  };
  const thread = { infos: [info], isReady, restarts: 0, answer } as unknown as WorkerThread;
  const queue = new WorkQueue(thread, board, mostWaiting);
  return { engine: EngineWorker.of(thread, queue), stats: () => queue.stats };
}
