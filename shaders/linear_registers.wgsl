// linear: y[t, n] = f(b[n] + sum_k x[t, k] w[k, n])
//
//   x (T, K)         activations, four channels a texel
//   w (N / 128, K, 128)  weights, cut into blocks of 128 columns: a block is one run of memory, 48 inputs to a row of
//                    the texture (src/engine/kernels/linear_registers.ts packs them)
//   b (N)            bias
//   residual (T, N)  the residual stream before, read by ADD only
//   y (T, N)
//
// f is chosen by shape.epilogue: STORE writes row t to row rows.first + t, GELU_NEW, GELU, RELU, SILU and TANH
// apply an activation, ADD adds to the residual stream.
//
// Dispatch: (ceil(N / 128), ceil(T / 16)). One invocation makes 16 rows x 16 columns in registers, or where no more than
// 8 rows are left, 4 rows x 16 columns at a time. Loads are what costs on a software adapter, where each lane loads by
// itself: this tile multiplies 32 times for each number that it loads. Reads of a storage texture cost an eighth of
// those of a storage buffer there, and half of a sampled texture's.

struct Shape {
  inputs: u32, // K / 4
  pitch: u32, // rows of the texture that a block of w takes
  epilogue: u32,
}
struct Rows {
  count: u32, // T
  first: u32, // where STORE puts the first row
}

const STORE = 0u;
const GELU_NEW = 1u;
const ADD = 2u;
const GELU = 3u;
const RELU = 4u;
const SILU = 5u;
const TANH = 6u;

const ROWS = 16u;
const COLUMNS = 32u; // vec4s of a block
const LANES = 8u;
const GROUPS = 4u; // of LANES columns of vec4s
const LOW = 4u; // rows of a low tile
const INPUTS = 12u; // vec4s of inputs to a row of the texture

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<uniform> rows: Rows;
@group(0) @binding(2) var x: texture_storage_2d<rgba32float, read>;
@group(0) @binding(3) var w: texture_storage_2d<rgba32float, read>;
@group(0) @binding(4) var<storage, read> b: array<vec4f>;
@group(0) @binding(5) var residual: texture_storage_2d<rgba32float, read>;
@group(0) @binding(6) var y: texture_storage_2d<rgba32float, write>;

// Where finished sums wait for their epilogue. A lane reads only what it wrote itself: it is here for a loop to run
// over, because 64 epilogues written out take seconds to compile.
var<workgroup> sums: array<vec4f, ROWS * GROUPS * LANES>;

// A vec4 of each of 16 or 4 rows. Named members, not arrays: those stay in registers everywhere.
struct Tall {
  r0: vec4f, r1: vec4f, r2: vec4f, r3: vec4f, r4: vec4f, r5: vec4f, r6: vec4f, r7: vec4f,
  r8: vec4f, r9: vec4f, r10: vec4f, r11: vec4f, r12: vec4f, r13: vec4f, r14: vec4f, r15: vec4f,
}
struct Low { r0: vec4f, r1: vec4f, r2: vec4f, r3: vec4f }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = tile.y * ROWS;
  let block = tile.x * shape.pitch;
  let column = tile.x * COLUMNS + lane;
  let left = min(ROWS, rows.count - row);
  if (left > 2u * LOW) {
    tall_tile(row, block, lane);
    finish(row, left, column, lane);
  } else {
    for (var r = 0u; r < left; r += LOW) {
      low_tile(row + r, block, lane);
      finish(row + r, min(LOW, left - r), column, lane);
    }
  }
}

fn tall_tile(row: u32, block: u32, lane: u32) {
  var group0 = Tall();
  var group1 = Tall();
  var group2 = Tall();
  var group3 = Tall();
  for (var k = 0u; k < shape.inputs; k++) {
    let inputs = tall_inputs(k, row);
    let at = vec2u(k % INPUTS * 4u * COLUMNS + lane, block + k / INPUTS);
    add_tall(&group0, inputs, weights(at));
    add_tall(&group1, inputs, weights(at + vec2u(LANES, 0u)));
    add_tall(&group2, inputs, weights(at + vec2u(2u * LANES, 0u)));
    add_tall(&group3, inputs, weights(at + vec2u(3u * LANES, 0u)));
  }
  keep_tall(0u, lane, group0);
  keep_tall(1u, lane, group1);
  keep_tall(2u, lane, group2);
  keep_tall(3u, lane, group3);
}

fn low_tile(row: u32, block: u32, lane: u32) {
  var group0 = Low();
  var group1 = Low();
  var group2 = Low();
  var group3 = Low();
  for (var k = 0u; k < shape.inputs; k++) {
    let inputs = Low(input(k, row), input(k, row + 1u), input(k, row + 2u), input(k, row + 3u));
    let at = vec2u(k % INPUTS * 4u * COLUMNS + lane, block + k / INPUTS);
    add_low(&group0, inputs, weights(at));
    add_low(&group1, inputs, weights(at + vec2u(LANES, 0u)));
    add_low(&group2, inputs, weights(at + vec2u(2u * LANES, 0u)));
    add_low(&group3, inputs, weights(at + vec2u(3u * LANES, 0u)));
  }
  keep_low(0u, lane, group0);
  keep_low(1u, lane, group1);
  keep_low(2u, lane, group2);
  keep_low(3u, lane, group3);
}

fn input(k: u32, row: u32) -> vec4f {
  return textureLoad(x, vec2u(k, row));
}

fn tall_inputs(k: u32, row: u32) -> Tall {
  return Tall(
    input(k, row), input(k, row + 1u), input(k, row + 2u), input(k, row + 3u),
    input(k, row + 4u), input(k, row + 5u), input(k, row + 6u), input(k, row + 7u),
    input(k, row + 8u), input(k, row + 9u), input(k, row + 10u), input(k, row + 11u),
    input(k, row + 12u), input(k, row + 13u), input(k, row + 14u), input(k, row + 15u),
  );
}

// The weights from four inputs (columns of the matrix) to four outputs.
fn weights(at: vec2u) -> mat4x4f {
  return mat4x4f(
    textureLoad(w, at),
    textureLoad(w, at + vec2u(COLUMNS, 0u)),
    textureLoad(w, at + vec2u(2u * COLUMNS, 0u)),
    textureLoad(w, at + vec2u(3u * COLUMNS, 0u)),
  );
}

fn add_tall(sum: ptr<function, Tall>, inputs: Tall, w: mat4x4f) {
  (*sum).r0 += w * inputs.r0;
  (*sum).r1 += w * inputs.r1;
  (*sum).r2 += w * inputs.r2;
  (*sum).r3 += w * inputs.r3;
  (*sum).r4 += w * inputs.r4;
  (*sum).r5 += w * inputs.r5;
  (*sum).r6 += w * inputs.r6;
  (*sum).r7 += w * inputs.r7;
  (*sum).r8 += w * inputs.r8;
  (*sum).r9 += w * inputs.r9;
  (*sum).r10 += w * inputs.r10;
  (*sum).r11 += w * inputs.r11;
  (*sum).r12 += w * inputs.r12;
  (*sum).r13 += w * inputs.r13;
  (*sum).r14 += w * inputs.r14;
  (*sum).r15 += w * inputs.r15;
}

fn add_low(sum: ptr<function, Low>, inputs: Low, w: mat4x4f) {
  (*sum).r0 += w * inputs.r0;
  (*sum).r1 += w * inputs.r1;
  (*sum).r2 += w * inputs.r2;
  (*sum).r3 += w * inputs.r3;
}

// Where the sum of a row and a group of columns waits.
fn slot(row: u32, group: u32, lane: u32) -> u32 {
  return (row * GROUPS + group) * LANES + lane;
}

fn keep_tall(group: u32, lane: u32, sum: Tall) {
  sums[slot(0u, group, lane)] = sum.r0;
  sums[slot(1u, group, lane)] = sum.r1;
  sums[slot(2u, group, lane)] = sum.r2;
  sums[slot(3u, group, lane)] = sum.r3;
  sums[slot(4u, group, lane)] = sum.r4;
  sums[slot(5u, group, lane)] = sum.r5;
  sums[slot(6u, group, lane)] = sum.r6;
  sums[slot(7u, group, lane)] = sum.r7;
  sums[slot(8u, group, lane)] = sum.r8;
  sums[slot(9u, group, lane)] = sum.r9;
  sums[slot(10u, group, lane)] = sum.r10;
  sums[slot(11u, group, lane)] = sum.r11;
  sums[slot(12u, group, lane)] = sum.r12;
  sums[slot(13u, group, lane)] = sum.r13;
  sums[slot(14u, group, lane)] = sum.r14;
  sums[slot(15u, group, lane)] = sum.r15;
}

fn keep_low(group: u32, lane: u32, sum: Low) {
  sums[slot(0u, group, lane)] = sum.r0;
  sums[slot(1u, group, lane)] = sum.r1;
  sums[slot(2u, group, lane)] = sum.r2;
  sums[slot(3u, group, lane)] = sum.r3;
}

fn finish(first: u32, count: u32, column: u32, lane: u32) {
  for (var i = 0u; i < count * GROUPS; i++) {
    let row = first + i / GROUPS;
    let at = column + i % GROUPS * LANES;
    let value = sums[i * LANES + lane] + b[at];
    switch shape.epilogue {
      case STORE: { textureStore(y, vec2u(at, rows.first + row), value); }
      case GELU_NEW: { textureStore(y, vec2u(at, row), gelu_new(value)); }
      case GELU: { textureStore(y, vec2u(at, row), gelu(value)); }
      case RELU: { textureStore(y, vec2u(at, row), max(value, vec4f(0.0))); }
      case SILU: { textureStore(y, vec2u(at, row), silu(value)); }
      case TANH: { textureStore(y, vec2u(at, row), tanh(clamp(value, vec4f(-10.0), vec4f(10.0)))); }
      case ADD: { textureStore(y, vec2u(at, row), value + textureLoad(residual, vec2u(at, row))); }
      default: {}
    }
  }
}

// GPT-2's gelu_new: v (1 + tanh(sqrt(2 / pi) (v + 0.044715 v^3))) / 2, after Hendrycks & Gimpel 2016.
// Beyond 10, tanh is 1 in float32, and some drivers make NaN of it: so it is never asked.
fn gelu_new(v: vec4f) -> vec4f {
  let inner = 0.7978845608028654 * (v + 0.044715 * v * v * v);
  return 0.5 * v * (1.0 + tanh(clamp(inner, vec4f(-10.0), vec4f(10.0))));
}

// SiLU, or swish: v / (1 + exp(-v)) (Hendrycks & Gimpel 2016). Below -80 it is 0 in float32, and exp would overflow.
fn silu(v: vec4f) -> vec4f {
  return v / (1.0 + exp(-max(v, vec4f(-80.0))));
}

// GELU itself, v (1 + erf(v / sqrt(2))) / 2, by erfc(z) = t exp(-z^2) p(t), t = 1 / (1 + z / 2), z >= 0. p is a minimax
// fit: erfc is right to 5e-8 of itself everywhere, so that the tail of GELU is too.
fn gelu(v: vec4f) -> vec4f {
  let z = min(0.7071067811865476 * abs(v), vec4f(12.0)); // beyond, exp(-z^2) is 0 in float32
  let t = 1.0 / (1.0 + 0.5 * z);
  var p = vec4f(-0.059068948);
  p = fma(p, t, vec4f(0.284574896));
  p = fma(p, t, vec4f(-0.487199783));
  p = fma(p, t, vec4f(0.278067023));
  p = fma(p, t, vec4f(-0.0266255699));
  p = fma(p, t, vec4f(0.202686831));
  p = fma(p, t, vec4f(0.243103772));
  p = fma(p, t, vec4f(0.282375306));
  p = fma(p, t, vec4f(0.282086432));
  let half_erfc = 0.5 * t * p * exp(-z * z);
  return v * select(half_erfc, 1.0 - half_erfc, v > vec4f(0.0));
}
