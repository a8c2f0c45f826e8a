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
const seed = Number(values.seed);
const say = (line: string): void =>
  console.error(`${new Date().toISOString().slice(11, 19)} ${line}`);
say(`seed ${seed}`);

const report = await soak({
  seed,
  seconds: Number(values.seconds),
  prompts: 300,
  longest: 1024,
  say,
});
const mib = report.resident.map((bytes) => Math.round(bytes / 2 ** 20));
// Once a minute is enough to read.
const resident = mib.filter((_, second) => second % 30 === 0);
console.log(JSON.stringify({ seed, ...report, resident, mostMiB: Math.max(...mib) }, null, 2));
const { load } = report;
let isWell = load.wrong + load.strange + load.broken + report.exitCode === 0;

if (Number(values.faults) > 0) {
  console.log(
    JSON.stringify(await runFaults({ seed, faults: Number(values.faults), say }), null, 2),
  );
}
const warm = mib.slice(Math.floor(mib.length / 4));
const growth = Math.max(...warm) - warm[0]!;
say(`memory grew by ${growth} MiB after the first quarter`);
isWell &&= growth <= 128;
Deno.exit(isWell ? 0 : 1);
