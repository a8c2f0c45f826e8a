/**
 * Measures statistics of heads over 500 prompts of 4 to 60 tokens against a padded loop over TransformerLens'
 * `run_with_cache` on the processor (`peers/head_statistics.py`), on the same model, after their means were compared.
 *
 *     deno run -A bench/head_statistics.ts --model DIR [--prompts N] [--python PYTHON]
 */
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { PartialStatistics } from "../src/requests/head_statistics/partial_statistics.ts";
import { MOST_PROMPTS } from "../src/requests/head_statistics/slots.ts";
import { finishStatistics } from "../src/requests/head_statistics/statistics.ts";
import { createEngine } from "../src/thread/create_engine.ts";
import { linesOf } from "./lines.ts";
import { secondsOfThis } from "./processor.ts";

const { values: { model, prompts: count, python } } = parseArgs({
  options: {
    model: { type: "string" },
    prompts: { type: "string", default: "500" },
    python: {
      type: "string",
      default: `${Deno.env.get("HOME")}/.cache/infoflow/bench/venv/bin/python`,
    },
  },
});
/** The number of heads whose means the peer prints. */
const HEADS = 6;
/** Sums of float32 in another order: 1e-6 at most was seen; distances and entropies are the largest. */
const TOLERANCE = 2e-5;

/** What the peer prints. */
interface Peer {
  readonly seconds: number;
  readonly cpu_seconds: number;
  readonly bos: readonly number[];
  readonly induction: readonly number[];
  readonly entropy: readonly number[];
  readonly mib: number;
}

const engine = await createEngine({ directory: model!, cacheBytes: 64 * 2 ** 20 });
const { architecture } = engine.info;
const { vocabulary } = architecture;
// Some prompts repeat a token, so that induction scores are not all 0.
const prompts = Array.from({ length: Number(count) }, (_, n) => [
  vocabulary - 1,
  ...Array.from({ length: 3 + 37 * n % 57 }, (_, i) => {
    const at = i > 4 && i % 7 === 0 ? i - 4 : i;
    return (7919 * (at + 1) + 104_729 * n) % (vocabulary - 1);
  }),
]);

async function sumsOf(some: readonly number[][]): Promise<PartialStatistics> {
  const partial = new PartialStatistics(architecture, 5);
  for (let at = 0; at < some.length; at += MOST_PROMPTS) {
    const group = some.slice(at, at + MOST_PROMPTS);
    const ids = group.flat();
    const sums = await engine.ask("headStatistics", { ids, lengths: group.map((it) => it.length) });
    partial.add(group.map((ids, i) => ({ row: at + i, ids })), sums);
  }
  return partial;
}

await sumsOf(prompts.slice(0, 16));
const [began, processor] = [performance.now(), await secondsOfThis()];
const heads = finishStatistics(await sumsOf(prompts));
const own = {
  seconds: (performance.now() - began) / 1000,
  cpu_seconds: await secondsOfThis() - processor,
};
engine.destroy();

const file = await Deno.makeTempFile({ suffix: ".json" });
await Deno.writeTextFile(file, JSON.stringify(prompts));
const script = new URL("peers/head_statistics.py", import.meta.url).pathname;
const lines = linesOf<Peer>(python, [script, "--model", model!, "--prompts", file]);
const { value: peer } = await lines.next();
await lines.return(undefined);
await Deno.remove(file);

let error = 0;
for (
  const [name, of] of [["bos", "bos_mean"], ["induction", "induction_mean"], [
    "entropy",
    "entropy_mean",
  ]] as const
) {
  heads.slice(0, HEADS).forEach(({ values }, head) => {
    error = Math.max(error, Math.abs(values[of]! - peer![name][head]!));
  });
}
assert(error <= TOLERANCE, `the means differ by ${error}`);
const tokens = prompts.flat().length;
console.log(
  `${prompts.length} prompts, ${tokens} tokens; means of ${HEADS} heads within ${
    error.toExponential(0)
  }`,
);
for (const [name, { seconds, cpu_seconds }] of [["infoflow", own], ["peer", peer!]] as const) {
  console.log(`${name}: ${seconds.toFixed(1)} s, ${cpu_seconds.toFixed(1)} s of the processor`);
}
console.log(
  `${(peer!.seconds / own.seconds).toFixed(2)} times faster, ` +
    `${(peer!.cpu_seconds / own.cpu_seconds).toFixed(2)} times by the processor`,
);
Deno.exit(0);
