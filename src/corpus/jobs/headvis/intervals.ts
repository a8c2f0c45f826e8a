import type { PartialStatistics } from "../../../requests/head_statistics/partial_statistics.ts";
import { hashOf } from "../../../requests/head_statistics/sample.ts";

/** Groups that HeadVis shows a head's prompts in, by the head's largest weight in the prompt, the smallest first. */
export const INTERVALS = 5;
/** Prompts of an interval, and of the last one. */
const OF_INTERVAL = 3;
const OF_TOP = 10;

/** A prompt that is shown of a head. */
export interface ShownPrompt {
  readonly row: number;
  /** 1 to {@linkcode INTERVALS}. */
  readonly interval: number;
}

/**
 * The prompts that are shown of a head. Prompts are split into fifths by their largest weight: three are drawn of each
 * fifth, always the same ones, and of the last fifth the ten largest are taken.
 */
export function shownPrompts(partial: PartialStatistics, head: number): ShownPrompt[] {
  const bins = partial.histograms[head]!;
  const total = bins.reduce((sum, count) => sum + count, 0);
  const rows: number[][] = Array.from({ length: INTERVALS }, () => []);
  let before = 0;
  bins.forEach((count, bin) => {
    const interval = Math.min(INTERVALS - 1, Math.floor(INTERVALS * (before + count / 2) / total));
    before += count;
    rows[interval]!.push(...partial.samples[head]![bin]!);
  });
  const top = partial.examplesByPrompt[head]!.slice(0, OF_TOP).map(({ prompt }) => prompt);
  return [
    ...rows.slice(0, -1).flatMap((some, interval) =>
      some.filter((row) => !top.includes(row)).sort((a, b) => hashOf(a) - hashOf(b))
        .slice(0, OF_INTERVAL).map((row) => ({ row, interval: interval + 1 }))
    ),
    ...top.map((row) => ({ row, interval: INTERVALS })),
  ];
}
