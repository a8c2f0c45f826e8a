import { type Figure, figuresOf, holds, type Measured } from "./figures.ts";
import type { Sample } from "./measure.ts";

/** Prints what was measured as Markdown. */
export function printTables(
  measured: Measured,
  earlier: { version: string; samples: readonly Sample[] } | undefined,
): void {
  console.log(`Adapter: ${measured.adapter}\n`);
  print(
    ["work", "against", "measured", "ratio", "must", "reach for", ""],
    figuresOf(measured).map(figureRow),
  );
  console.log(tablesOf(measured) + "\n");
  if (earlier) printEarlier(measured.samples, earlier);
}

/** All samples and all rates, in Markdown. */
export function tablesOf({ samples, rates }: Measured): string {
  const measured = markdown(
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
  const reached = markdown(
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
  return `${measured}\n\n${reached}`;
}

function printEarlier(
  samples: readonly Sample[],
  earlier: { version: string; samples: readonly Sample[] },
): void {
  const least = (all: readonly Sample[], key: string): number =>
    Math.min(...all.filter((it) => keyOf(it) === key).map(({ min_ms }) => min_ms));
  const rows = [...new Set(earlier.samples.map(keyOf))].flatMap((key) => {
    const [then, now] = [least(earlier.samples, key), least(samples, key)];
    return Number.isFinite(now)
      ? [[...key.split("\t"), number(then), number(now), number(then / now)]]
      : [];
  });
  print(["what", "T", `ms, ${earlier.version}`, "ms, now", "x faster"], rows);
}

function keyOf({ what, T }: Sample): string {
  return `${what}\t${T || ""}`;
}

function figureRow(figure: Figure): (string | number)[] {
  const { work, against, measured, value, unit, must, reach } = figure;
  const verdict = holds(figure, reach) ? "reached" : holds(figure, must) ? "holds" : "MISSED";
  const ratio = Number.isNaN(value) ? "" : `${number(value)} ${unit}`;
  return [work, against, measured, ratio, must, reach, ratio ? verdict : "not measured"];
}

function print(header: readonly string[], rows: readonly Row[]): void {
  console.log(markdown(header, rows) + "\n");
}

type Row = readonly (string | number)[];

/** A table in Markdown. */
export function markdown(header: readonly string[], rows: readonly Row[]): string {
  const table = [header, header.map(() => "---"), ...rows];
  return table.map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** Three digits, or all before the point; nothing where it was not measured. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return "";
  return value >= 100
    ? Math.round(value).toLocaleString("en")
    : value.toPrecision(value < 1 ? 2 : 3);
}
