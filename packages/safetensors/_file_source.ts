// Copyright 2026 the Infoflow authors. MIT license.

import type { Source } from "./_source.ts";

/** A file of Deno's as a source. */
export class FileSource implements Source {
  readonly size: number;
  readonly #file: Deno.FsFile;
  #last: Promise<unknown> = Promise.resolve();
  #unfinished = 0;

  constructor(file: Deno.FsFile, size: number) {
    this.#file = file;
    this.size = size;
  }

  read(target: Uint8Array, position: number): Promise<number> {
    const read = async (): Promise<number> => {
      this.#file.seekSync(position, Deno.SeekMode.Start);
      return await this.#file.read(target) ?? 0;
    };
    // A file has one cursor: a read that came between another's seek and read would move it. One that need not wait
    // begins at once, so that the caller can compute meanwhile.
    const turn = this.#unfinished === 0 ? read() : this.#last.then(read);
    this.#unfinished++;
    this.#last = turn.catch(() => {}).finally(() => this.#unfinished--);
    return turn;
  }

  close(): void {
    this.#file.close();
  }
}
