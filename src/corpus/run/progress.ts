import type { DonePart } from "../output/manifest.ts";
import type { Part, RowProgress } from "./job.ts";

/** How far a run is. */
export interface ProgressState {
  /** Rows of this process's parts, those that were done before, and those that are done now. */
  readonly rows: number;
  readonly before: number;
  readonly done: number;
  /** Rows of those that were refused. */
  readonly refused: number;
  /** Tokens a second, of the last ten seconds. */
  readonly tokensPerSecond: number;
  /** Seconds that the rest will take; undefined where nothing is known yet. */
  readonly secondsLeft: number | undefined;
  /** The part that is at work. */
  readonly part: number;
}

/** A display of a run's progress. */
export interface Display {
  show(state: ProgressState): void;
  stop(): void;
}

/** The counts of a part. */
export type PartCounts = Pick<DonePart, "tokens" | "refused">;

const WINDOW_MS = 10_000;

/** Counts the rows of a run and has them shown. */
export class Progress {
  readonly #display: Display;
  readonly #samples: { readonly at: number; readonly rows: number; readonly tokens: number }[] = [];
  #rows = 0;
  #before = 0;
  #done = 0;
  #tokens = 0;
  #refused = 0;
  #part = 0;

  constructor(display: Display) {
    this.#display = display;
  }

  /** Tells how many rows there are, and how many of them were done before. */
  begin({ rows, before }: { readonly rows: number; readonly before: number }): void {
    this.#rows = rows;
    this.#before = before;
    this.#show();
  }

  /** Begins a part; its rows are told to what it returns. */
  part({ part }: Part): RowProgress & { readonly counts: PartCounts } {
    this.#part = part;
    const refused: Record<string, number> = {};
    let tokens = 0;
    const count = (rowTokens: number, code: string | undefined): void => {
      this.#done++;
      this.#tokens += rowTokens;
      tokens += rowTokens;
      if (code !== undefined) {
        this.#refused++;
        refused[code] = (refused[code] ?? 0) + 1;
      }
      this.#show();
    };
    return {
      row: count,
      get counts(): PartCounts {
        return { tokens, refused: Object.fromEntries(Object.entries(refused).sort()) };
      },
    };
  }

  /** Takes what is shown off the screen. */
  end(): void {
    this.#show();
    this.#display.stop();
  }

  #show(): void {
    const now = performance.now();
    const last = this.#samples.at(-1);
    if (!last || now - last.at > 100) {
      this.#samples.push({ at: now, rows: this.#done, tokens: this.#tokens });
      while (this.#samples.length > 2 && now - this.#samples[0]!.at > WINDOW_MS) {
        this.#samples.shift();
      }
    }
    const { at, rows, tokens } = this.#samples[0]!;
    const seconds = Math.max(now - at, 1) / 1000;
    const rowsPerSecond = (this.#done - rows) / seconds;
    const left = this.#rows - this.#before - this.#done;
    this.#display.show({
      rows: this.#rows,
      before: this.#before,
      done: this.#done,
      refused: this.#refused,
      tokensPerSecond: (this.#tokens - tokens) / seconds,
      secondsLeft: rowsPerSecond > 0 ? left / rowsPerSecond : undefined,
      part: this.#part,
    });
  }
}
