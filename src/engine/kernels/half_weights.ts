/** The text of float32 in a shader of linears and its replacement for float16; WGSL has no generic types. */
const HALVES: readonly [float32: string, float16: string][] = [
  ["var w: texture_storage_2d<rgba32float, read>", "var w: texture_storage_2d<rgba16float, read>"],
  ["var<storage, read> w: array<vec4f>", "var<storage, read> w: array<vec2u>"],
  [
    "return w[at];",
    "let two = w[at];\n  return vec4f(unpack2x16float(two.x), unpack2x16float(two.y));",
  ],
];

/** A shader of linears for weights of float16. No `shader-f16` is needed: a load gives float32. */
export function halfCode(code: string): string {
  return HALVES.reduce((text, [float32, float16]) => text.replace(float32, float16), code);
}

/** The smallest number that float16 rounds to infinity. */
const LEAST_INFINITE = 65_520;

/**
 * Rounds numbers to float16.
 *
 * @throws {RangeError} If one is beyond float16's largest, 65,504.
 */
export function toHalf(values: Float32Array, label: string): Float16Array<ArrayBuffer> {
  for (let at = 0; at < values.length; at++) {
    if (Math.abs(values[at]!) < LEAST_INFINITE) continue;
    throw new RangeError(
      `Cannot keep ${label} as float16 as its largest number is 65,504: current value is ${
        values[at]
      }`,
    );
  }
  return new Float16Array(values);
}
