import { setImmediate } from "node:timers";

/** How long the thread stays at one thing while others may wait, in ms. */
const TURN_MS = 8;

const waiting: (() => void)[] = [];
let turnBegan = 0;

/** Whether the thread has been at one thing for so long that others should get a turn, by {@linkcode pause}. */
export function isLong(): boolean {
  return performance.now() - turnBegan > TURN_MS;
}

/**
 * Lets the thread answer what came in meanwhile. Of several that pause, one goes on at a time, so that together they
 * don't hold it up either.
 */
export function pause(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (waiting.push(resolve) === 1) setImmediate(next);
  return promise;
}

function next(): void {
  turnBegan = performance.now();
  waiting.shift()!();
  if (waiting.length > 0) setImmediate(next);
}
