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
/** What the memory of the process may grow by after the first quarter, in MiB. */
const SLACK = 128;
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
  const warm = mib.slice(Math.floor(mib.length / 4));
  const growth = Math.max(...warm) - warm[0]!;
  say(`memory grew by ${growth} MiB after the first quarter`);
  const { wrong, strange, broken } = report.load;
  return wrong + strange + broken + report.exitCode === 0 && growth <= SLACK;
}
