// Copyright 2026 the Infoflow authors. MIT license.

import { DTYPES } from "./dtype.ts";
import { parse } from "./parse.ts";
import { file, header } from "./_test_file.ts";
import assert from "node:assert/strict";

Deno.test("DTYPES describes all 22", () => {
  const descriptions = Object.values(DTYPES).map(({ description }) => description);
  assert.equal(new Set(descriptions).size, 22);
});

for (const [dtype, { bits }] of Object.entries(DTYPES)) {
  Deno.test(`four ${dtype} take ${bits / 2} bytes`, () => {
    const { tensors } = parse(file(header(dtype, "[4]", `[0,${bits / 2}]`), bits / 2));
    assert.equal(tensors.get("a")?.dtype, dtype);
  });
}
