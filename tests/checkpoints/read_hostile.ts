// A process that reads what a directory has beside its weights, as the server does before it loads a model, and prints
// what became of it, how long it took, and by how much the process grew at most.
import { cpuUsage } from "node:process";
import { openCheckpoint } from "../../src/checkpoints/checkpoint.ts";
import { readTokenizer } from "../../src/checkpoints/read_tokenizer.ts";

/** What the process prints. */
export interface HostileReport {
  /** What the refusal says; nothing if there was none. */
  readonly message: string | undefined;
  /** Time on a processor, that of all threads together. */
  readonly cpuMs: number;
  readonly ms: number;
  /** From what the process took before to the most that it took. */
  readonly mib: number;
}

function memory(name: "VmRSS" | "VmHWM"): number {
  const status = Deno.readTextFileSync("/proc/self/status");
  return Number(status.match(new RegExp(`${name}:\\s*(\\d+) kB`))![1]) / 1024;
}

if (import.meta.main) {
  const [directory] = Deno.args as [string];
  const before = memory("VmRSS");
  const began = performance.now();
  const usage = cpuUsage();
  let message: string | undefined;
  try {
    await readTokenizer(directory, false);
    await using _ = await openCheckpoint(directory);
  } catch (error) {
    ({ message } = error as Error);
  }
  const report: HostileReport = {
    message,
    cpuMs: cpuUsage(usage).user / 1000 + cpuUsage(usage).system / 1000,
    ms: performance.now() - began,
    mib: memory("VmHWM") - before,
  };
  console.log(JSON.stringify(report));
  Deno.exit(0);
}
