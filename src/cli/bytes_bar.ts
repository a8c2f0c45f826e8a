// @ts-types="@types/cli-progress"
import { Presets, SingleBar } from "cli-progress";
import { inBytes } from "../sizes.ts";

/** Shows how many bytes of something are done, how fast, and how long it will take. */
export interface BytesBar {
  readonly onProgress: (done: number, total: number) => void;
  /** Writes a line without breaking the bar. */
  readonly say: (line: string) => void;
  /** Takes the bar off the screen. */
  stop(): void;
}

/** How often a line is written without a terminal, in ms. */
const LINE_MS = 10_000;
const DRAW_MS = 100;

/** A bar on a terminal, a line now and then elsewhere. Both go to stderr. */
export function showBytesBar(what: string): BytesBar {
  const rate = new Rate();
  const text = (done: number, total: number): string => {
    const bytesPerSecond = rate.at(done);
    const left = (total - done) / bytesPerSecond;
    const speed = bytesPerSecond > 0 && left > 0
      ? `, ${inBytes(bytesPerSecond)}/s, ${inTime(left)} left`
      : "";
    return `${inBytes(done)} of ${inBytes(total)}${speed}`;
  };
  return Deno.stderr.isTerminal() ? bar(what, text) : lines(what, text);
}

type Text = (done: number, total: number) => string;

function bar(what: string, text: Text): BytesBar {
  const options = { format: `${what} {bar} {text}`, hideCursor: true, clearOnComplete: true };
  const bar = new SingleBar(options, Presets.rect);
  let shown = 0;
  const stop = (): void => {
    if (shown > 0) bar.stop();
    shown = 0;
  };
  return {
    onProgress: (done, total) => {
      if (shown === 0) bar.start(total, done, { text: "" });
      else if (performance.now() - shown < DRAW_MS && done < total) return;
      shown = performance.now();
      bar.setTotal(total);
      bar.update(done, { text: text(done, total) });
    },
    say: (line) => {
      stop();
      console.error(line);
    },
    stop,
  };
}

function lines(what: string, text: Text): BytesBar {
  let last = performance.now();
  return {
    onProgress: (done, total) => {
      if (performance.now() - last < LINE_MS) return;
      last = performance.now();
      console.error(`${what} ${text(done, total)}`);
    },
    say: (line) => console.error(line),
    stop: () => {},
  };
}

/** The speed of the last seconds. */
class Rate {
  readonly #samples: [ms: number, done: number][] = [];

  /** Bytes a second, from the number of bytes done so far. */
  at(done: number): number {
    const now = performance.now();
    this.#samples.push([now, done]);
    while (this.#samples.length > 2 && now - this.#samples[0]![0] > LINE_MS) this.#samples.shift();
    const [ms, before] = this.#samples[0]!;
    return now > ms ? 1000 * (done - before) / (now - ms) : 0;
  }
}

function inTime(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  if (seconds < 5400) return `${Math.ceil(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}
