import assert from "node:assert/strict";
import zlib from "node:zlib";
import { chooseCoding, type Coding, encodeBody } from "../../src/server/http/content_coding.ts";
import { Random } from "../support/random.ts";

const CHOICES: [header: string | null, coding: Coding][] = [
  [null, "identity"],
  ["", "identity"],
  ["gzip, deflate, br, zstd", "zstd"], // browsers
  ["gzip, deflate", "gzip"], // requests
  ["br;q=0.5, gzip;q=0.8", "gzip"],
  ["gzip;q=1.0, zstd;q=0.9, *;q=0.1", "gzip"],
  ["identity, gzip;q=0.5", "identity"],
  ["zstd;q=0, br;q=0, *", "gzip"],
  ["*", "zstd"],
  ["*;q=0", "identity"],
  ["GZIP", "gzip"],
  ["deflate, compress", "identity"],
  ["gzip;q=nonsense", "identity"],
  [", gzip ,", "gzip"],
];

for (const [header, coding] of CHOICES) {
  Deno.test(`chooseCoding() of ${header} is ${coding}`, () => {
    assert.equal(chooseCoding(header), coding);
  });
}

const DECODERS = {
  zstd: zlib.zstdDecompressSync,
  br: zlib.brotliDecompressSync,
  gzip: zlib.gunzipSync,
};

for (const coding of ["zstd", "br", "gzip"] as const) {
  Deno.test(`encodeBody() in ${coding} gives the bytes back, in turns of the event loop`, async () => {
    const numbers = Float32Array.from(new Random(1).normals(2 ** 18), (x, i) => i % 2 ? x : 0);
    for (const bytes of [new Uint8Array(numbers.buffer), new Uint8Array(1), new Uint8Array()]) {
      let turns = 0;
      const timer = setInterval(() => turns++, 0);
      const coded = await new Response(encodeBody(bytes, coding)).bytes();
      clearInterval(timer);
      assert.deepEqual(new Uint8Array(DECODERS[coding](coded)), bytes);
      if (bytes.length > 1) {
        assert(coded.length < 0.8 * bytes.length);
        assert(turns >= 3, `${turns} turns in a MiB`);
      }
    }
  });

  Deno.test(`encodeBody() in ${coding} writes a small body at once`, () => {
    const bytes = Uint8Array.from({ length: 3000 }, (_, i) => i % 50);
    const coded = encodeBody(bytes, coding);
    assert(coded instanceof Uint8Array && coded.length < bytes.length);
    assert.deepEqual(new Uint8Array(DECODERS[coding](coded)), bytes);
  });

  Deno.test(`encodeBody() in ${coding} ends when nobody reads on`, async () => {
    const body = encodeBody(new Uint8Array(2 ** 22), coding);
    assert(body instanceof ReadableStream);
    const reader = body.getReader();
    await reader.read();
    await reader.cancel();
  });
}
