// What `deno task serve` runs, in a process that measures the longest that the thread that answers works at a stretch.
// For each line on its standard input it prints that, and begins anew.
import { serve } from "../../src/cli/start_server.ts";

/** What the process prints. */
export interface Stretch {
  /** The longest stretch, in ms of the thread's own time on a processor. */
  readonly ms: number;
}

/** The time that this thread has had of a processor, in ms: what other processes take is not in it. */
function cpuTime(): number {
  return Number(Deno.readTextFileSync("/proc/thread-self/schedstat").split(" ")[0]) / 1e6;
}

if (import.meta.main) {
  let [last, longest] = [cpuTime(), 0];
  const tick = (): void => {
    const now = cpuTime();
    longest = Math.max(longest, now - last);
    last = now;
    setTimeout(tick, 1);
  };
  await serve();
  tick();
  for await (const _ of Deno.stdin.readable) {
    console.log(JSON.stringify({ ms: longest } satisfies Stretch));
    longest = 0;
  }
}
