/**
 * The long versions of the tests of load and faults: `deno task soak [--seconds 300] [--faults 100] [--seed N]`.
 */
import { parseArgs } from "node:util";
import { runFaults } from "./run_faults.ts";
import { soak } from "./run_load.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "300" },
    faults: { type: "string", default: "100" },
    seed: { type: "string", default: String(Date.now() % 1e6) },
  },
});
const [seed, seconds, faults] = [values.seed, values.seconds, values.faults].map(Number) as [
  number,
  number,
  number,
];
/** What the memory of the process may grow by, from the second third to the last, in MiB: medians, as it goes up and down. */
const SLACK = 64;
const say = (line: string): void =>
  console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);
say(`seed ${seed}`);

let isWell = true;
if (seconds > 0) isWell = await load();
if (faults > 0) console.log(JSON.stringify(await runFaults({ seed, faults, say }), null, 2));
Deno.exit(isWell ? 0 : 1);

async function load(): Promise<boolean> {
  const report = await soak({ seed, seconds, prompts: 300, longest: 1024, say });
  const mib = report.resident.map((bytes) => Math.round(bytes / 2 ** 20));
  const resident = mib.filter((_, second) => second % 30 === 0); // enough to read
  console.log(JSON.stringify({ seed, ...report, resident }, null, 2));
  const third = Math.floor(mib.length / 3);
  const growth = median(mib.slice(2 * third)) - median(mib.slice(third, 2 * third));
  say(`memory grew by ${growth} MiB from the second third to the last`);
  const { wrong, strange, broken } = report.load;
  return wrong + strange + broken + report.exitCode === 0 && growth <= SLACK;
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}
