/**
 * Measures the engine of one version of the project and prints a line of JSON for each measurement: see `bench.ts`,
 * which runs it. It imports nothing of the project itself, so that an earlier version can be measured as well:
 *
 *     deno run -A --config SOURCE/deno.json bench/engine.ts --source SOURCE --model DIR [--reference FILE]...
 *
 * A reference is a safetensors file with `patterns`, `info_flow_by_layer` and, in its metadata, `ids`.
 */
import { parseArgs } from "node:util";
import { resolve } from "node:path";
import { readCase } from "./case.ts";
import { maxAbsDiff, measure, type Sample } from "./measure.ts";

const { values } = parseArgs({
  options: {
    source: { type: "string", default: "." },
    model: { type: "string" },
    reference: { type: "string", multiple: true, default: [] },
    longest: { type: "string", default: "1024" },
  },
});
const effort = { runs: 15, budgetMs: 4000 };
const source = resolve(values.source);
// In earlier versions an engine's own method opens its files.
const createEngine = await import(`file://${source}/src/thread/create_engine.ts`).then(
  (module) => module.createEngine,
  async () => (await import(`file://${source}/src/engine/engine.ts`)).Engine.create,
);
const engine = await createEngine({
  directory: resolve(values.model!),
  cacheBytes: 2 ** 30,
  tuning: { file: `${Deno.env.get("HOME")}/.cache/infoflow/bench-tuning.json` },
});
const { vocabulary, context } = engine.info.architecture;
const BY_LAYER = { byLayer: true, aggregation: "MEAN", bos: "DROP" };
const OTHERS = [
  { byLayer: false, aggregation: "MEAN", bos: "DROP" },
  { byLayer: false, aggregation: "NOTEBOOK", bos: "KEEP" },
  { byLayer: true, aggregation: "ROLLOUT", bos: "DROP" },
];

let prompts = 0;
/** A prompt that was never asked: it has nothing but BOS in common with any other. */
function fresh(tokens: number): number[] {
  prompts++;
  const walk = Array.from(
    { length: tokens - 1 },
    (_, i) => (7919 * (i + 1) + 1013 * prompts) % (vocabulary - 1),
  );
  return [vocabulary - 1, ...walk];
}

function print(sample: Sample): void {
  console.log(JSON.stringify(sample));
}

for (const path of values.reference) {
  const { ids, ...expected } = await readCase(path);
  const T = ids.length;
  const patterns = {
    error: maxAbsDiff(await engine.patterns(ids), expected.patterns),
    ...await measure(effort, () => fresh(T), (it) => engine.patterns(it)),
  };
  print({ what: "patterns", T, ...patterns });
  const { flow } = await engine.flow(ids, BY_LAYER);
  const byLayer = {
    error: maxAbsDiff(flow, expected.byLayer),
    ...await measure(effort, () => fresh(T), (it) => engine.flow(it, BY_LAYER)),
  };
  print({ what: "flow by layer", T, ...byLayer });
}

const longest = Math.min(context, Number(values.longest));
for (const T of [14, 64, 128, 256, 512, 1024].filter((T) => T <= longest)) {
  const times = await measure(
    { ...effort, runs: 5 },
    () => fresh(T),
    (it) => engine.flow(it, BY_LAYER),
  );
  print({ what: "by length", T, ...times });
}

{
  const T = 256;
  const known = fresh(T);
  await engine.flow(known, BY_LAYER);
  for (const options of OTHERS) {
    const what = `asked again, ${options.aggregation}${options.byLayer ? " by layer" : ""}`;
    print({ what, T, ...await measure(effort, () => known, (it) => hit(it, options)) });
  }
  print({
    what: "a beginning of it",
    T: T - 1,
    ...await measure(effort, () => known.slice(0, T - 1), (it) => hit(it, BY_LAYER)),
  });
  const typed = async (): Promise<number[]> => {
    const ids = fresh(T - 1);
    await engine.flow(ids, BY_LAYER);
    return [...ids, 5];
  };
  print({
    what: "typed on by one",
    T,
    ...await measure(effort, typed, (it) => engine.flow(it, BY_LAYER)),
  });
}

for (const [count, T] of [[8, 8], [4, 16], [2, 32], [2, 64]] as const) {
  if (!engine.flows) break; // a version that answers one at a time
  const several = (): number[][] => Array.from({ length: count }, () => fresh(T));
  const together = await measure(
    effort,
    several,
    (all) => engine.flows(all.map((ids) => ({ ids, options: BY_LAYER }))),
  );
  const alone = await measure(effort, several, async (all) => {
    for (const ids of all) await engine.flow(ids, BY_LAYER);
  });
  print({ what: `${count} prompts together`, T, ...together });
  print({ what: `${count} prompts one by one`, T, ...alone });
}
Deno.exit(0);

async function hit(ids: number[], options: unknown): Promise<void> {
  const { cacheHit } = await engine.flow(ids, options);
  if (!cacheHit) throw new Error("a forward pass was run for a prompt that is cached");
}
