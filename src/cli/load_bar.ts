// @ts-types="@types/cli-progress"
import { Presets, SingleBar } from "cli-progress";

/** A progress bar for the loading of a model, on a terminal; elsewhere nothing. */
export interface LoadBar {
  readonly onProgress: (done: number, total: number) => void;
  /** Takes the bar off the screen. */
  stop(): void;
}

/** Shows how much of a model is loaded. */
export function showLoadBar(name: string): LoadBar {
  if (!Deno.stderr.isTerminal()) return { onProgress: () => {}, stop: () => {} };
  const format = "loading {name} {bar} {percentage} %";
  const bar = new SingleBar({ format, hideCursor: true, clearOnComplete: true }, Presets.rect);
  let isShown = false;
  return {
    onProgress: (done, total) => {
      if (!isShown) bar.start(total, 0, { name });
      isShown = true;
      bar.setTotal(total);
      bar.update(done, { name });
    },
    stop: () => bar.stop(),
  };
}
