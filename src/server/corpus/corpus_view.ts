import type { HtmlEscapedString } from "hono/utils/html";
import { STATISTICS } from "../../requests/head_statistics/statistics.ts";
import type { FinishedRun, RunHead } from "./finished_run.ts";

/** A piece of the page, escaped. */
export type Html = HtmlEscapedString | Promise<HtmlEscapedString>;

/** What the page shows: one statistic for all heads, and one head in detail. */
export interface CorpusView {
  readonly statistic: string;
  readonly head: RunHead;
}

/** Reads the page's query; a parameter that can't be read gets its default. */
export function readView({ all }: FinishedRun, search: URLSearchParams): CorpusView {
  const asked = search.get("statistic") ?? "";
  const statistic = Object.hasOwn(STATISTICS, asked) ? asked : "bos_mean";
  const [layer, head] = (search.get("head") ?? "").split(".").map(Number);
  const chosen = all.find((it) => it.layer === layer && it.head === head);
  return { statistic, head: chosen ?? largest(all, statistic) };
}

/** The link that shows a statistic and a head. */
export function linkTo({ statistic, head: { layer, head } }: CorpusView): string {
  return `corpus?${new URLSearchParams({ statistic, head: `${layer}.${head}` })}`;
}

/** A number for people; nothing where there is none. */
export function shown(value: number | null): string {
  if (value === null) return "–";
  return Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function largest(all: readonly RunHead[], statistic: string): RunHead {
  const value = ({ values }: RunHead): number => values[statistic] ?? -Infinity;
  return all.reduce((best, head) => value(head) > value(best) ? head : best);
}
