/**
 * Measures a sparse autoencoder's features against SAELens on TransformerLens' activations (`peers/saelens.py`), one
 * after the other on the same autoencoder and prompts, and prints a line of JSON for each measurement. `bench.ts` runs
 * it, or:
 *
 *     deno run -A bench/features.ts --model DIR --python PYTHON --work DIR
 *
 * PYTHON has what `peers/requirements.txt` says. The autoencoder, of 24,576 features, is made in WORK the first time.
 */
import { parseArgs } from "node:util";
import { join, resolve } from "node:path";
import { createEngine } from "../src/thread/create_engine.ts";
import { linesOf } from "./lines.ts";
import { measure, type Sample } from "./measure.ts";

const LENGTHS = [14, 256];
const EFFORT = { runs: 15, budgetMs: 8000 };

const { values } = parseArgs({
  options: { model: { type: "string" }, python: { type: "string" }, work: { type: "string" } },
});
const model = resolve(values.model!);
const work = resolve(values.work!);
await Deno.mkdir(work, { recursive: true });
const sae = join(work, "sae-24576");
const [idsFile, out] = [join(work, "ids.json"), join(work, "found.json")];
const { vocab_size: vocabulary } = JSON.parse(await Deno.readTextFile(join(model, "config.json")));

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

const print = (sample: Sample): void => console.log(JSON.stringify(sample));
const cases = LENGTHS.map(fresh);
await Deno.writeTextFile(idsFile, JSON.stringify(cases));
const isMade = await Deno.stat(join(sae, "cfg.json")).then(() => true, () => false);
const peer = [new URL("peers/saelens.py", import.meta.url).pathname, "--model", model];
const flags = ["--sae", sae, "--ids", idsFile, "--out", out, ...isMade ? [] : ["--make"]];
for await (const sample of linesOf<Sample>(values.python!, [...peer, ...flags])) print(sample);
const expected: [number, number, number][][] = JSON.parse(await Deno.readTextFile(out));

const engine = await createEngine({
  directory: model,
  cacheBytes: 2 ** 30,
  saes: [{ name: "sae", directory: sae }],
});
for (const [at, ids] of cases.entries()) {
  const T = ids.length;
  const ask = (ids: number[]) => engine.ask("features", { ids, sae: "sae" });
  const { positions, features, activations } = await ask(ids);
  const listed = new Map(expected[at]!.map(([i, f, value]) => [`${i}/${f}`, value]));
  const largest = activations.reduce((most, value) => Math.max(most, value), 0);
  let error = 0;
  features.forEach((feature, n) => {
    const value = listed.get(`${positions[n]}/${feature}`) ?? 0;
    error = Math.max(error, Math.abs(value - activations[n]!) / largest);
    listed.delete(`${positions[n]}/${feature}`);
  });
  for (const value of listed.values()) error = Math.max(error, value / largest);
  // The error is in parts of the largest activation: what is wrong is not timed.
  if (!(error <= 1e-4)) throw new Error(`features at T = ${T} are off by ${error}`);
  print({ what: "run and encode", T, ...await measure(EFFORT, () => fresh(T), ask), error });
  print({ what: "features again", T, ...await measure(EFFORT, () => ids, ask) });
  const forward = (ids: number[]) => engine.ask("nextTokens", { ids, k: 1 });
  print({ what: "forward pass", T, ...await measure(EFFORT, () => fresh(T), forward) });
  const known = async (): Promise<number[]> => {
    const ids = fresh(T);
    await ask(ids);
    return ids;
  };
  const flow = (ids: number[]) =>
    engine.ask("featureFlow", { ids, sae: "sae", feature: features[0]!, target: undefined });
  print({ what: "flow of a feature", T, ...await measure(EFFORT, known, flow) });
  let typed = fresh(T);
  const oneMore = async (): Promise<number[]> => {
    await ask(typed);
    return typed = [...typed, typed.length];
  };
  print({ what: "one token more", T, ...await measure(EFFORT, oneMore, ask) });
}
engine.destroy();
