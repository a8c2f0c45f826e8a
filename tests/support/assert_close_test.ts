import assert from "node:assert/strict";
import { assertClose } from "./assert_close.ts";

Deno.test("assertClose() passes on the boundary and returns the worst error", () => {
  assert.equal(assertClose([1, 2.5], [1, 2], { atol: 0.5 }), 0.5);
  assert.equal(assertClose([110], [100], { atol: 0, rtol: 0.1 }), 10);
});

Deno.test("assertClose() fails beyond it, and says where", () => {
  assert.throws(() => assertClose([1, 3], [1, 2], { atol: 0.5 }), {
    name: "AssertionError",
    message: /worst at 1: expected 2, got 3, off by 1/,
  });
});

Deno.test("assertClose() fails on NaN, on either side", () => {
  assert.throws(() => assertClose([NaN], [1], { atol: Infinity }), /off by/);
  assert.throws(() => assertClose([1], [NaN], { atol: 1 }), /off by/);
});

Deno.test("assertClose() fails on another length", () => {
  assert.throws(() => assertClose([1], [1, 2], { atol: 1 }), /expected 2 numbers, got 1/);
});
