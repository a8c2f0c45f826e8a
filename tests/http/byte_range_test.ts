import assert from "node:assert/strict";
import { parseRange } from "../../src/server/http/byte_range.ts";

const CASES: [header: string | null, expected: ReturnType<typeof parseRange>][] = [
  [null, "whole"],
  ["bytes=0-0", { first: 0, last: 0 }],
  ["bytes=2-5", { first: 2, last: 5 }],
  ["bytes=5-99", { first: 5, last: 9 }],
  ["bytes=7-", { first: 7, last: 9 }],
  ["bytes=-3", { first: 7, last: 9 }],
  ["bytes=-99", { first: 0, last: 9 }],
  ["Bytes=1-2", { first: 1, last: 2 }],
  ["bytes= 1-2 ", { first: 1, last: 2 }],
  // What servers are to ignore: nonsense, another unit, several ranges.
  ["bytes=5-2", "whole"],
  ["bytes=-", "whole"],
  ["bytes=", "whole"],
  ["bytes=a-b", "whole"],
  ["bytes=1.5-2", "whole"],
  ["bytes=-1-2", "whole"],
  ["bytes", "whole"],
  ["items=0-1", "whole"],
  ["bytes=0-1,3-4", "whole"],
  // None of it is there.
  ["bytes=10-", "unsatisfiable"],
  ["bytes=10-12", "unsatisfiable"],
  ["bytes=-0", "unsatisfiable"],
  ["bytes=99999999999999999999-", "unsatisfiable"],
];

for (const [header, expected] of CASES) {
  Deno.test(`parseRange() of ten bytes reads ${header}`, () => {
    assert.deepEqual(parseRange(header, 10), expected);
  });
}

Deno.test("parseRange() of no bytes has no part", () => {
  for (const header of ["bytes=0-", "bytes=-1"]) {
    assert.equal(parseRange(header, 0), "unsatisfiable");
  }
});
