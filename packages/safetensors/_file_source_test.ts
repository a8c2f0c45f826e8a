// Copyright 2026 the Infoflow authors. MIT license.

import { FileSource } from "./_file_source.ts";
import assert from "node:assert/strict";

/** As much of a file as a source uses: the first read fails, the others give the position. */
function failingOnce(): Deno.FsFile {
  let position = 0;
  let hasFailed = false;
  const file = {
    seekSync(offset: number) {
      position = offset;
    },
    read(target: Uint8Array) {
      if (!hasFailed) {
        hasFailed = true;
        return Promise.reject(new Error("unreadable"));
      }
      target.fill(position);
      return Promise.resolve(position < 10 ? target.length : null);
    },
  };
  return file as unknown as Deno.FsFile;
}

Deno.test("a read that fails does not fail those behind it", async () => {
  const source = new FileSource(failingOnce(), 10);
  const target = new Uint8Array(2);
  const [first, second] = await Promise.allSettled([
    source.read(new Uint8Array(2), 3),
    source.read(target, 7),
  ]);
  assert.equal(first.status, "rejected");
  assert.deepEqual(second, { status: "fulfilled", value: 2 });
  assert.deepEqual(target, new Uint8Array([7, 7]));
});

Deno.test("the end of a file is a read of 0 bytes", async () => {
  const source = new FileSource(failingOnce(), 10);
  await assert.rejects(() => source.read(new Uint8Array(1), 0), { message: "unreadable" });
  assert.equal(await source.read(new Uint8Array(1), 10), 0);
});
