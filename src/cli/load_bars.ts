import type { LoadProgress } from "../server/serving/load_models.ts";
import { type BytesBar, showBytesBar } from "./bytes_bar.ts";
import { type LoadBar, showLoadBar } from "./load_bar.ts";

/** Bars for the checking and the loading of models, one at a time. */
export function showLoadBars(): LoadProgress {
  let shown: { readonly name: string; readonly bar: BytesBar | LoadBar } | undefined;
  const stop = (): void => {
    shown?.bar.stop();
    shown = undefined;
  };
  const on = (name: string, show: () => BytesBar | LoadBar): BytesBar | LoadBar => {
    if (shown?.name !== name) {
      stop();
      shown = { name, bar: show() };
    }
    return shown.bar;
  };
  return {
    checking: (name, done, total) =>
      on(name, () => showBytesBar(`checking ${name}`)).onProgress(done, total),
    loading: (name, done, total) => on(name, () => showLoadBar(name)).onProgress(done, total),
    stop,
  };
}
