import assert from "node:assert/strict";
import {
  rowStart,
  triangleStride,
  unpackTriangles,
  VEC4,
} from "../../src/engine/activations/packed_triangles.ts";

Deno.test("rowStart() counts the vec4s of the rows before", () => {
  let vec4s = 0;
  for (let i = 0; i < 200; i++) {
    assert.equal(rowStart(i), vec4s, `row ${i}`);
    vec4s += Math.ceil((i + 1) / 4);
  }
});

Deno.test("triangleStride() holds whole groups of four rows and keeps to 256 bytes", () => {
  for (const tokens of [1, 2, 5, 14, 65, 1024]) {
    const stride = triangleStride(tokens);
    assert.equal(stride * VEC4 % 256, 0);
    assert(stride >= rowStart(4 * Math.ceil(tokens / 4)));
    assert(stride < rowStart(4 * Math.ceil(tokens / 4)) + 16);
  }
  // Half of the square, and little more.
  assert(triangleStride(1024) * 4 < 1.01 * 1024 * 1024 / 2);
});

Deno.test("unpackTriangles() puts rows back and zeros above the diagonal", () => {
  const packed = new Float32Array(4 * triangleStride(5)).fill(NaN);
  packed.set([1], 0);
  packed.set([2, 3], 4);
  packed.set([4, 5, 6], 8);
  packed.set([7, 8, 9, 10], 12);
  packed.set([11, 12, 13, 14, 15], 16);
  assert.deepEqual(Array.from(unpackTriangles(packed, { count: 1, tokens: 5 })), [
    ...[1, 0, 0, 0, 0],
    ...[2, 3, 0, 0, 0],
    ...[4, 5, 6, 0, 0],
    ...[7, 8, 9, 10, 0],
    ...[11, 12, 13, 14, 15],
  ]);
});
