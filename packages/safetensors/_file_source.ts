// Copyright 2026 the Infoflow authors. MIT license.

import type { Source } from "./_source.ts";

/** A file of Deno's as a source. */
export class FileSource implements Source {
  readonly size: number;
  readonly #file: Deno.FsFile;
  #last: Promise<unknown> = Promise.resolve();

  constructor(file: Deno.FsFile, size: number) {
    this.#file = file;
    this.size = size;
  }

  read(target: Uint8Array, position: number): Promise<number> {
    // A file has one cursor: a read that came between another's seek and read would move it.
    const turn = this.#last.then(async () => {
      this.#file.seekSync(position, Deno.SeekMode.Start);
      return await this.#file.read(target) ?? 0;
    });
    this.#last = turn.catch(() => {});
    return turn;
  }

  close(): void {
    this.#file.close();
  }
}
