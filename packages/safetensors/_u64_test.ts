// Copyright 2026 the Infoflow authors. MIT license.

import { divide, fromDigits, multiply, subtract } from "./_u64.ts";
import assert from "node:assert/strict";

const MAX = 2n ** 64n - 1n;
const SAFE = Number.MAX_SAFE_INTEGER;

Deno.test("fromDigits() gives a number as long as that is exact", () => {
  assert.equal(fromDigits("9007199254740991"), SAFE);
  assert.equal(fromDigits("9007199254740992"), 2n ** 53n);
  assert.equal(fromDigits(String(MAX)), MAX);
  assert.equal(fromDigits(String(MAX + 1n)), undefined);
  assert.equal(fromDigits("9".repeat(1_000_000)), undefined);
});

Deno.test("multiply() is exact up to 2^64 - 1", () => {
  assert.equal(multiply(3, 5), 15);
  assert.equal(multiply(SAFE, 1), SAFE);
  assert.equal(multiply(2 ** 27, 2 ** 26), 2n ** 53n);
  assert.equal(multiply(4294967295, 4294967297), MAX);
  assert.equal(multiply(2 ** 32, 2 ** 32), undefined);
  assert.equal(multiply(MAX, 0), 0);
  assert.equal(multiply(MAX, 2), undefined);
});

Deno.test("subtract() is exact down to 0", () => {
  assert.equal(subtract(5, 3), 2);
  assert.equal(subtract(MAX, MAX), 0);
  assert.equal(subtract(2n ** 53n, 1), SAFE);
  assert.equal(subtract(MAX, 1), MAX - 1n);
  assert.equal(subtract(3, 5), undefined);
});

Deno.test("divide() is exact or not at all", () => {
  assert.equal(divide(24, 8), 3);
  assert.equal(divide(20, 8), undefined);
  assert.equal(divide(2n ** 60n, 8), 2n ** 57n);
  assert.equal(divide(2n ** 55n, 8), 2 ** 52);
  assert.equal(divide(2n ** 55n + 4n, 8), undefined);
});
