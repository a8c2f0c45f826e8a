import { type Profiler, Session } from "node:inspector/promises";

/** Tells whether an input made code run that no input before it did, by V8's coverage of blocks. */
export class Coverage implements Disposable {
  readonly #session: Session;
  readonly #files: RegExp;
  readonly #reached = new Set<string>();

  private constructor(session: Session, files: RegExp) {
    this.#session = session;
    this.#files = files;
  }

  /** @param files Whose code counts, by the addresses of modules. */
  static async start(files: RegExp): Promise<Coverage> {
    const session = new Session();
    session.connect();
    await session.post("Profiler.enable");
    await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
    return new Coverage(session, files);
  }

  /** How many blocks have been reached. */
  get blocks(): number {
    return this.#reached.size;
  }

  /** Whether blocks were reached since this was asked last that had never been. */
  async hasGrown(): Promise<boolean> {
    const { result } = await this.#session.post("Profiler.takePreciseCoverage") as {
      result: Profiler.ScriptCoverage[];
    };
    const before = this.#reached.size;
    for (const { url, functions } of result) {
      if (!this.#files.test(url)) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          if (count > 0) this.#reached.add(`${url} ${startOffset} ${endOffset}`);
        }
      }
    }
    return this.#reached.size > before;
  }

  [Symbol.dispose](): void {
    this.#session.disconnect();
  }
}
