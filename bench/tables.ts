import { type Figure, figuresOf, holds, type Measured } from "./figures.ts";
import type { Sample } from "./measure.ts";

/** Prints what was measured as Markdown. */
export function printTables(
  measured: Measured,
  earlier: { version: string; samples: readonly Sample[] } | undefined,
): void {
  const { adapter, samples, rates } = measured;
  console.log(`Adapter: ${adapter}\n`);
  print(
    ["work", "against", "measured", "ratio", "must", "reach for", ""],
    figuresOf(measured).map(figureRow),
  );
  print(
    ["what", "T", "least ms", "median ms", "runs", "error"],
    samples.map(({ what, T, min_ms, median_ms, runs, error }) => [
      what,
      T || "",
      number(min_ms),
      number(median_ms),
      runs,
      error?.toExponential(1) ?? "",
    ]),
  );
  print(
    ["kernel or rate", "T or M", "ms", "dispatches", "MB", "GB/s", "GFLOP/s"],
    rates.map(({ rate, T = "", ms, dispatches = "", bytes, gflops }) => [
      rate,
      T,
      number(ms),
      dispatches,
      bytes === undefined ? "" : number(bytes / 1e6),
      bytes === undefined ? "" : number(bytes / ms / 1e6),
      gflops === undefined ? "" : number(gflops),
    ]),
  );
  if (!earlier) return;
  const rows = earlier.samples.flatMap(({ what, T, min_ms }) => {
    const now = samples.find((it) => it.what === what && it.T === T);
    return now ? [[what, T, number(min_ms), number(now.min_ms), number(min_ms / now.min_ms)]] : [];
  });
  print(["what", "T", `ms, ${earlier.version}`, "ms, now", "x faster"], rows);
}

function figureRow(figure: Figure): (string | number)[] {
  const { work, against, measured, value, unit, must, reach } = figure;
  const verdict = holds(figure, reach) ? "reached" : holds(figure, must) ? "holds" : "MISSED";
  const ratio = Number.isNaN(value) ? "" : `${number(value)} ${unit}`;
  return [work, against, measured, ratio, must, reach, ratio ? verdict : "not measured"];
}

function print(header: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  const table = [header, header.map(() => "---"), ...rows];
  console.log(table.map((row) => `| ${row.join(" | ")} |`).join("\n") + "\n");
}

function number(value: number): string {
  if (!Number.isFinite(value)) return "";
  return value >= 100
    ? Math.round(value).toLocaleString("en")
    : value.toPrecision(value < 1 ? 2 : 3);
}
