/**
 * Measures activation patching against what TransformerLens' own functions took and found (`peers/patching.py`), and
 * prints a line of JSON for each measurement: see `bench.ts`, which runs it.
 *
 *     deno run -A --config deno.json bench/patching.ts --model DIR --reference FILE.json
 */
import { parseArgs } from "node:util";
import { resolve } from "node:path";
import { createEngine } from "../src/thread/create_engine.ts";
import { maxAbsDiff, type Sample, summary } from "./measure.ts";

/** Some cells of a grid: layer, position and, of heads, the head; and what runs patched there come to. */
interface Cells {
  readonly cells: readonly (readonly [layer: number, position: number, head?: number])[];
  readonly values: readonly number[];
}

/** What TransformerLens makes of two prompts. */
interface Reference {
  readonly name: string;
  readonly clean: readonly number[];
  readonly corrupted: readonly number[];
  readonly answer: number;
  readonly against: number;
  /** Some cells of the grid of resid_pre, and of the grid of heads. */
  readonly streams: Cells;
  readonly heads: Cells;
}

/** The time limit of a grid, in seconds: long enough that none is refused. */
const LIMIT = 3600;

const { values } = parseArgs({
  options: { model: { type: "string" }, reference: { type: "string" } },
});
const engine = await createEngine({ directory: resolve(values.model!), cacheBytes: 2 ** 30 });
const { heads: H } = engine.info.architecture;
const references: Reference[] = JSON.parse(await Deno.readTextFile(values.reference!));

let isWarm = false;
for (const { name, clean, corrupted, answer, against, ...expected } of references) {
  const T = clean.length;
  const grid = (site: "RESID_PRE" | "Z", by: "LAYER_POSITION" | "LAYER_HEAD_POSITION") =>
    engine.ask("patching", {
      ids: clean,
      corrupted,
      answer,
      against,
      site,
      by,
      direction: "DENOISE",
      metric: "LOGIT_DIFF",
      limit: LIMIT,
    });
  // A logit difference of size s has a float32 error of s times a few 1e-6: what is compared is its share of the span.
  const check = async (
    what: string,
    ask: () => ReturnType<typeof grid>,
    errorOf: (values: Float32Array, span: number) => number,
  ): Promise<void> => {
    if (!isWarm) await ask(); // drivers compile at the first run
    isWarm = true;
    const start = performance.now();
    const { values, clean, corrupted } = await ask();
    const times = summary([performance.now() - start]);
    const sample: Sample = {
      what: `${what}, ${name}`,
      T,
      ...times,
      error: errorOf(values, Math.abs(clean - corrupted)),
    };
    console.log(JSON.stringify(sample));
  };
  const errorOf = ({ cells, values }: Cells) => (grid: Float32Array, span: number): number => {
    const found = cells.map(([layer, position, head]) =>
      grid[(head === undefined ? layer : layer * H + head) * T + position]!
    );
    return maxAbsDiff(found, values) / span;
  };
  await check(
    "patches of RESID_PRE",
    () => grid("RESID_PRE", "LAYER_POSITION"),
    errorOf(expected.streams),
  );
  await check(
    "patches of heads",
    () => grid("Z", "LAYER_HEAD_POSITION"),
    errorOf(expected.heads),
  );
}
engine.destroy();
