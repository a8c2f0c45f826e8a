import assert from "node:assert/strict";
import { isKnown, mayBePart } from "../../src/server/http/entity_tags.ts";

Deno.test("isKnown() compares weakly, in lists, and takes * for any tag", () => {
  for (
    const header of [
      '"a.b"',
      'W/"a.b"',
      '"x", "a.b"',
      '"x",W/"a.b" ,"y"',
      "*",
      " * ",
      '"a,b", "a.b"',
    ]
  ) {
    assert.equal(isKnown(header, '"a.b"'), true, header);
  }
  for (
    const header of [
      null,
      "",
      "a.b",
      '"a"',
      '"a.b.zstd"',
      '"A.B"',
      '"x", "y"',
      'w/"a.c"',
      "**",
      '"a.b',
    ]
  ) {
    assert.equal(isKnown(header, '"a.b"'), false, String(header));
  }
});

Deno.test("mayBePart() takes the strong tag alone", () => {
  assert.equal(mayBePart(null, '"a"'), true);
  assert.equal(mayBePart('"a"', '"a"'), true);
  for (const header of ['W/"a"', '"b"', "*", '"a", "b"', "Wed, 21 Oct 2015 07:28:00 GMT", ""]) {
    assert.equal(mayBePart(header, '"a"'), false, header);
  }
});
