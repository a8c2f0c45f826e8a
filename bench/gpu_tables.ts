import type { Architecture } from "../src/requests/architecture/architecture.ts";
import { costs } from "./costs.ts";
import type { Sample } from "./measure.ts";
import type { Rate } from "./peaks.ts";
import { markdown, number, tablesOf } from "./tables.ts";

/** PyTorch on a machine. */
export interface Torch {
  readonly version: string;
  /** The card's name, or the number of threads. */
  readonly device: string;
}

/** What a run on a GPU measured. */
export interface GpuMeasured {
  readonly adapter: string;
  readonly isSoftware: boolean;
  readonly samples: readonly Sample[];
  readonly rates: readonly Rate[];
  readonly architecture: Architecture;
  readonly torch: Torch | string;
  /** As `device.ts` gives it. */
  readonly device: { readonly rows: readonly KernelRow[] };
}

/** A kernel at a shape. */
export interface KernelRow {
  readonly kernel: string;
  /** Such as `768 x 2304`, or `12 x 64` heads. */
  readonly shape: string;
  /** T */
  readonly rows: number;
  readonly ms: number;
  readonly gflops: number;
  readonly gbs: number;
  /** Of what the adapter's peaks allow. */
  readonly share: number;
}

/** The most ms by layer that a data-centre GPU may take. */
const MUST: Record<number, number> = { 14: 3, 256: 10, 1024: 40 };
const PARTS = ["linear_tiles", "attention_pattern", "mix_values", "norm", "head_mean", "flow"];

/** The tables of `docs/performance.md`, in Markdown. */
export function gpuTables(measured: GpuMeasured): string {
  const { adapter, isSoftware, torch, samples, rates } = measured;
  const said = [
    `Adapter: ${adapter}${
      isSoftware ? ", a software adapter: these are no figures of a GPU, and prompts are short" : ""
    }.`,
    typeof torch === "string"
      ? `No PyTorch was measured: ${torch}.`
      : `PyTorch ${torch.version} on ${torch.device}.`,
  ];
  return [
    said.join(" "),
    byLength(measured),
    ...typeof torch === "string" ? [] : [againstTorch(samples)],
    byKernel(measured.device.rows),
    tablesOf({ adapter, samples, rates }),
  ].join("\n\n");
}

/** Times by length, beside what the adapter's measured peaks allow. */
function byLength({ samples, rates, architecture, isSoftware }: GpuMeasured): string {
  const fma = rates.find(({ rate }) => rate === "fma")!;
  const copy = rates.find(({ rate }) => rate === "copy")!;
  const bandwidth = copy.bytes! / copy.ms / 1e6;
  const rows = samples.filter(({ what }) => what === "by length").map(({ T, min_ms }) => {
    const parts = PARTS.map((kernel) => costs(kernel, architecture, T));
    const arithmetic = sum(parts.map(({ flops }) => flops)) / fma.gflops! / 1e6;
    const memory = sum(parts.map(({ bytes }) => bytes)) / bandwidth / 1e6;
    const least = Math.max(arithmetic, memory);
    const must = isSoftware ? "" : MUST[T] ?? "";
    return [
      T,
      number(min_ms),
      must,
      number(arithmetic),
      number(memory),
      `${Math.round(100 * least / min_ms)} %`,
    ];
  });
  const header = ["T", "ms, by layer", "must", "ms of arithmetic", "ms of memory", "of the peak"];
  return `Peaks: ${number(fma.gflops!)} GFLOP/s, ${number(bandwidth)} GB/s.\n\n` +
    markdown(header, rows);
}

function againstTorch(samples: readonly Sample[]): string {
  const least = (what: string, T: number): number =>
    Math.min(...samples.filter((it) => it.what === what && it.T === T).map((it) => it.min_ms));
  const columns = [
    "patterns",
    "PyTorch eager, patterns",
    "flow by layer",
    "PyTorch eager, flow by layer",
    "PyTorch SDPA, no patterns",
  ];
  const lengths = [...new Set(samples.map(({ T }) => T))].filter((T) =>
    Number.isFinite(least("PyTorch eager, patterns", T))
  );
  return markdown(
    ["T", ...columns],
    lengths.map((T) => [T, ...columns.map((what) => number(least(what, T)))]),
  );
}

function byKernel(rows: readonly KernelRow[]): string {
  return markdown(
    ["kernel", "shape", "T", "ms", "GFLOP/s", "GB/s", "of the peak"],
    rows.map(({ kernel, shape, rows, ms, gflops, gbs, share }) => [
      kernel,
      shape,
      rows,
      number(ms),
      number(gflops),
      number(gbs),
      `${Math.round(100 * share)} %`,
    ]),
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, it) => total + it, 0);
}
