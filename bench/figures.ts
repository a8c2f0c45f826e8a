import type { Rate } from "./peaks.ts";
import type { Sample } from "./measure.ts";

/** Everything that was measured in one run. */
export interface Measured {
  readonly adapter: string;
  readonly samples: readonly Sample[];
  readonly rates: readonly Rate[];
}

/** A promise of ours about speed, and how it stands. */
export interface Figure {
  readonly work: string;
  readonly against: string;
  /** What was measured, such as `53 ms to 913 ms`. */
  readonly measured: string;
  /** Ours against theirs, as the promise counts it; NaN where one of them was not measured. */
  readonly value: number;
  readonly unit: "x faster" | "x its time" | "ms more" | "ms" | "% of it";
  readonly must: number;
  readonly reach: number;
}

/** Whether a figure is as good as a bound. */
export function holds({ unit, value }: Figure, bound: number): boolean {
  return unit === "x faster" || unit === "% of it" ? value >= bound : value <= bound;
}

const WEBGPU_PEERS = ["onnxruntime-web, patterns", "jax-js, patterns"];

/** The figures that follow from the measurements. */
export function figuresOf({ samples, rates }: Measured): Figure[] {
  const ms = (what: string, T?: number): number =>
    Math.min(
      ...samples.filter((it) => it.what === what && (T ?? it.T) === it.T).map((it) => it.min_ms),
    );
  const faster = (ours: number, theirs: number): Pick<Figure, "measured" | "value" | "unit"> => ({
    measured: `${shown(ours)} to ${shown(theirs)}`,
    value: ratio(theirs, ours),
    unit: "x faster",
  });
  const timesAsLong = (
    ours: number,
    theirs: number,
  ): Pick<Figure, "measured" | "value" | "unit"> => ({
    measured: `${shown(ours)} to ${shown(theirs)}`,
    value: ratio(ours, theirs),
    unit: "x its time",
  });

  const figures: Figure[] = [];
  for (const [T, must, reach] of [[14, 18, 18], [64, 12, 12], [256, 8, 8]] as const) {
    const fastest = Math.min(...WEBGPU_PEERS.map((peer) => ms(peer, T)));
    figures.push({
      work: `T = ${T}, ids in, all patterns back`,
      against: "the fastest other WebGPU runtime, same adapter",
      ...faster(ms("patterns", T), fastest),
      must,
      reach,
    });
  }
  for (const [T, must, reach] of [[14, 1, 1], [256, 1.5, 1.5]] as const) {
    figures.push({
      work: `T = ${T}, ids in, flow by layer out`,
      against: "TransformerLens and the notebook's reduction, CPU, 2 threads",
      ...timesAsLong(ms("flow by layer", T), ms("TransformerLens, flow by layer", T)),
      must,
      reach,
    });
  }
  for (const pair of ["differ at once", "differ late"]) {
    for (const grid of ["RESID_PRE", "heads"]) {
      figures.push({
        work: `T = 14, a grid of patches of ${grid}, prompts that ${pair}`,
        against: "TransformerLens' own functions, CPU, 2 threads",
        ...faster(
          ms(`patches of ${grid}, ${pair}`),
          ms(`TransformerLens, patches of ${grid}, ${pair}`),
        ),
        must: 4,
        reach: 8,
      });
    }
  }
  for (const [T, must, reach] of [[14, 1.5, 1], [256, 2.5, 1.5]] as const) {
    figures.push({
      work: `T = ${T}, run and encode 24,576 features`,
      against: "SAELens on TransformerLens' activations, CPU, 2 threads",
      ...timesAsLong(ms("run and encode", T), ms("SAELens: run and encode", T)),
      must,
      reach,
    });
  }
  figures.push(
    {
      work: "T = 256, flow of a feature to all targets",
      against: "a forward pass",
      ...timesAsLong(ms("flow of a feature", 256), ms("forward pass", 256)),
      must: 0.25,
      reach: 0.1,
    },
    {
      work: "T = 256, features with one token more",
      against: "a forward pass",
      ...timesAsLong(ms("one token more", 256), ms("forward pass", 256)),
      must: 0.25,
      reach: 0.1,
    },
  );
  const cold = ms("by length", 256);
  const again = samples.filter(({ what }) => what.startsWith("asked again"));
  const slowest = Math.max(...again.map(({ min_ms }) => min_ms));
  figures.push(
    {
      work: "T = 256 again, the slowest aggregation",
      against: "own cold run",
      ...faster(again.length > 0 ? slowest : Infinity, cold),
      must: 50,
      reach: 50,
    },
    {
      work: "T = 256, typed on by one",
      against: "own cold run",
      ...faster(ms("typed on by one", 256), cold),
      must: 5,
      reach: 15,
    },
    {
      work: "T = 255, the beginning of a cached prompt",
      against: "own cold run; no forward pass",
      ...faster(ms("a beginning of it", 255), cold),
      must: 50,
      reach: 50,
    },
  );
  const outside = Math.max(ms("GET of Arrow"), ms("GraphQL with Arrow"));
  figures.push({
    work: "GraphQL, Arrow and HTTP, T = 14",
    against: "the engine call itself",
    measured: `${shown(outside)} to ${shown(ms("engine"))}`,
    value: Number.isFinite(outside) ? outside - ms("engine") : NaN,
    unit: "ms more",
    must: 1,
    reach: 1,
  });
  const health = samples.find(({ what }) => what === "healthz");
  figures.push({
    work: "/healthz while the device works",
    against: "99th percentile",
    measured: `${shown(health?.p99_ms ?? NaN)} of ${health?.runs ?? 0} answers`,
    value: health?.p99_ms ?? NaN,
    unit: "ms",
    must: 20,
    reach: 20,
  });
  for (const [where, must, reach] of [["disk", 8, 4], ["memory", 8, 8]] as const) {
    figures.push({
      work: `server start to ready, checkpoint ${where === "disk" ? "on" : "in"} ${where}`,
      against: "reading that file once",
      ...timesAsLong(ms(`server start from ${where}`), ms(`reading the file from ${where}`)),
      must,
      reach,
    });
  }
  const fma = rates.find(({ rate }) => rate === "fma")?.gflops ?? NaN;
  for (const M of [16, 64, 256]) {
    const tilings = rates.filter(({ rate, T, dispatches }) =>
      rate.startsWith("linear") && T === M && dispatches === undefined
    );
    const best = Math.max(...tilings.map(({ gflops }) => gflops ?? 0));
    figures.push({
      work: `linear, M = ${M}, K = 768, N = 3072`,
      against: "the adapter's fma rate",
      measured: `${best.toFixed(0)} to ${fma.toFixed(0)} GFLOP/s`,
      value: 100 * best / fma,
      unit: "% of it",
      must: 30,
      reach: 45,
    });
  }
  return figures;
}

/** NaN where one of them was not measured. */
function ratio(a: number, b: number): number {
  return Number.isFinite(a) && Number.isFinite(b) ? a / b : NaN;
}

function shown(ms: number): string {
  if (!Number.isFinite(ms)) return "not measured";
  return ms < 10 ? `${ms.toFixed(2)} ms` : `${Math.round(ms).toLocaleString("en")} ms`;
}
