import { setImmediate } from "node:timers/promises";

/** Bytes of lines that wait for a reader. */
const MOST_WAITING = 2 ** 20;
const encoder = new TextEncoder();

/** The destination of lines. */
export interface LineSink {
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * Writes lines without waiting for their reader: `console.error` would stop the thread that answers when a pipe is
 * full. It begins to write when the answer that the line tells of is on its way. Lines that the reader does not take are
 * dropped and counted.
 */
export class LineWriter {
  readonly #sink: LineSink;
  #waiting: Uint8Array[] = [];
  #bytes = 0;
  #unsaid = 0;
  #writing: Promise<void> | undefined;
  /** Lines that were dropped. */
  dropped = 0;

  constructor(sink: LineSink) {
    this.#sink = sink;
  }

  /** Writes a line, or drops it. */
  readonly write = (line: string): void => {
    const bytes = encoder.encode(`${line}\n`);
    if (this.#bytes + bytes.length > MOST_WAITING) {
      this.dropped++;
      this.#unsaid++;
      return;
    }
    this.#waiting.push(bytes);
    this.#bytes += bytes.length;
    this.#writing ??= this.#writeAll();
  };

  /** Waits until all lines are taken, but not longer than some ms. */
  async flush(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    await Promise.race([this.#writing, promise]);
    clearTimeout(timer);
  }

  async #writeAll(): Promise<void> {
    await setImmediate();
    try {
      while (this.#waiting.length > 0) {
        const line = this.#waiting.shift()!;
        for (let at = 0; at < line.length;) at += await this.#sink.write(line.subarray(at));
        this.#bytes -= line.length;
        if (this.#waiting.length === 0 && this.#unsaid > 0) this.#sayDropped();
      }
    } catch {
      this.dropped += this.#waiting.length + 1; // the reader is gone
      [this.#waiting, this.#bytes] = [[], 0];
    } finally {
      this.#writing = undefined;
    }
  }

  #sayDropped(): void {
    const dropped = this.#unsaid;
    this.#unsaid = 0;
    this.write(JSON.stringify({ time: new Date().toISOString(), event: "server", dropped }));
  }
}
