// @ts-types="@types/cli-progress"
import { Presets, SingleBar } from "cli-progress";
import type { Display, ProgressState } from "./progress.ts";

const DRAW_MS = 100;
const LINE_MS = 2000;

/** A bar on a terminal; a line of JSON every two seconds elsewhere. Both go to stderr. */
export function displayFor(isTerminal: boolean): Display {
  return isTerminal ? bar() : jsonLines((line) => console.error(line));
}

function bar(): Display {
  const format = "{bar} {text}";
  const bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true }, Presets.rect);
  let shown = 0;
  return {
    show: (state) => {
      const { rows, before, done } = state;
      const at = before + done;
      if (shown === 0) bar.start(rows, at, { text: "" });
      else if (performance.now() - shown < DRAW_MS && at < rows) return;
      shown = performance.now();
      bar.update(at, { text: textOf(state) });
    },
    stop: () => {
      if (shown > 0) bar.stop();
    },
  };
}

/** Writes a line of JSON at the beginning, now and then, and at the end. */
function jsonLines(write: (line: string) => void): Display {
  let last = -Infinity;
  let state: ProgressState | undefined;
  const line = (): void => {
    if (!state) return;
    const { rows, before, done, refused, tokensPerSecond, secondsLeft, part } = state;
    write(JSON.stringify({
      rows: before + done,
      of: rows,
      refused,
      tokensPerSecond: Math.round(tokensPerSecond),
      secondsLeft: secondsLeft === undefined ? null : Math.ceil(secondsLeft),
      part,
    }));
  };
  return {
    show: (now) => {
      state = now;
      if (performance.now() - last < LINE_MS) return;
      last = performance.now();
      line();
    },
    stop: line,
  };
}

function textOf(
  { rows, before, done, refused, tokensPerSecond, secondsLeft }: ProgressState,
): string {
  const parts = [
    `${(before + done).toLocaleString("en")} of ${rows.toLocaleString("en")} rows`,
    `${Math.round(tokensPerSecond).toLocaleString("en")} tokens/s`,
    ...(secondsLeft === undefined ? [] : [`${inTime(secondsLeft)} left`]),
    ...(refused > 0 ? [`${refused.toLocaleString("en")} refused`] : []),
  ];
  return parts.join(", ");
}

function inTime(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.ceil(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
