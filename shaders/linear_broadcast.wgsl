// linear_broadcast: y[t, n] = f(b[n] + sum_k x[t, k] w[k, n])
//
//   x (T, K)         activations, four channels a texel
//   w (N / 128, K, 128)  weights, cut into blocks of 128 columns as linear_registers.wgsl has them
//   b (N)            bias
//   residual (T, N)  the residual stream before, read by ADD only
//   y (T, N)
//
// f is chosen by shape.epilogue: STORE writes row t to row rows.first + t, GELU_NEW, GELU, RELU, SILU and TANH
// apply an activation, ADD adds to the residual stream.
//
// linear_registers.wgsl for software adapters whose subgroups have 8 lanes or more. A load of activations gives every
// lane the same number there, and costs as much as eight. Here each lane loads a row of its own, and a row goes to all
// lanes in a register. As activations are cheap, a tile is tall: it multiplies 64 times for each weight that it loads.
//
// Dispatch: (ceil(N / 64), ceil(T / 32)). One invocation makes 32 rows x 8 columns in registers. Where no more than 16
// rows are left, every second workgroup makes 128 columns of them: 16 rows x 16 columns an invocation, or where no more
// than 8 are left, 4 rows x 16 columns at a time. A sum is the same to the bit in all of them.

enable subgroups;

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

const ROWS = 32u;
const COLUMNS = 16u; // vec4s of columns of a workgroup
const BLOCK = 32u; // vec4s of a block
const LANES = 8u;
const MIDDLE = 16u; // rows of a middle tile
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
var<workgroup> sums: array<vec4f, ROWS * COLUMNS>;

// A vec4 of each of 16 or 4 rows. Named members, not arrays: those stay in registers everywhere.
struct Tall {
  r0: vec4f, r1: vec4f, r2: vec4f, r3: vec4f, r4: vec4f, r5: vec4f, r6: vec4f, r7: vec4f,
  r8: vec4f, r9: vec4f, r10: vec4f, r11: vec4f, r12: vec4f, r13: vec4f, r14: vec4f, r15: vec4f,
}
struct Low { r0: vec4f, r1: vec4f, r2: vec4f, r3: vec4f }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let row = tile.y * ROWS;
  let block = tile.x / 2u * shape.pitch;
  let column = tile.x * COLUMNS + lane;
  let left = min(ROWS, rows.count - row);
  if (left > MIDDLE) {
    tall_tile(row, block, tile.x % 2u * COLUMNS, lane);
    finish(row, left, column, lane, 2u);
  } else if (tile.x % 2u == 0u) {
    if (left > 2u * LOW) {
      middle_tile(row, block, lane);
      finish(row, left, column, lane, 4u);
    } else {
      for (var r = 0u; r < left; r += LOW) {
        low_tile(row + r, block, lane);
        finish(row + r, min(LOW, left - r), column, lane, 4u);
      }
    }
  }
}

fn tall_tile(row: u32, block: u32, column: u32, lane: u32) {
  var upper0 = Tall();
  var upper1 = Tall();
  var lower0 = Tall();
  var lower1 = Tall();
  for (var k = 0u; k < shape.inputs; k++) {
    let upper = tall_inputs(k, row, lane);
    let lower = tall_inputs(k, row + MIDDLE, lane);
    let at = vec2u(k % INPUTS * 4u * BLOCK + column + lane, block + k / INPUTS);
    let w0 = weights(at);
    add_tall(&upper0, upper, w0);
    add_tall(&lower0, lower, w0);
    let w1 = weights(at + vec2u(LANES, 0u));
    add_tall(&upper1, upper, w1);
    add_tall(&lower1, lower, w1);
  }
  keep_tall(0u, 2u, lane, upper0);
  keep_tall(1u, 2u, lane, upper1);
  keep_tall(2u * MIDDLE, 2u, lane, lower0);
  keep_tall(2u * MIDDLE + 1u, 2u, lane, lower1);
}

fn middle_tile(row: u32, block: u32, lane: u32) {
  var group0 = Tall();
  var group1 = Tall();
  var group2 = Tall();
  var group3 = Tall();
  for (var k = 0u; k < shape.inputs; k++) {
    let inputs = tall_inputs(k, row, lane);
    let at = vec2u(k % INPUTS * 4u * BLOCK + lane, block + k / INPUTS);
    add_tall(&group0, inputs, weights(at));
    add_tall(&group1, inputs, weights(at + vec2u(LANES, 0u)));
    add_tall(&group2, inputs, weights(at + vec2u(2u * LANES, 0u)));
    add_tall(&group3, inputs, weights(at + vec2u(3u * LANES, 0u)));
  }
  keep_tall(0u, 4u, lane, group0);
  keep_tall(1u, 4u, lane, group1);
  keep_tall(2u, 4u, lane, group2);
  keep_tall(3u, 4u, lane, group3);
}

fn low_tile(row: u32, block: u32, lane: u32) {
  var group0 = Low();
  var group1 = Low();
  var group2 = Low();
  var group3 = Low();
  for (var k = 0u; k < shape.inputs; k++) {
    let four = input(k, row + lane % LOW);
    let inputs = Low(
      subgroupBroadcast(four, 0u), subgroupBroadcast(four, 1u),
      subgroupBroadcast(four, 2u), subgroupBroadcast(four, 3u),
    );
    let at = vec2u(k % INPUTS * 4u * BLOCK + lane, block + k / INPUTS);
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

// Four channels of 16 rows, each loaded by one lane.
fn tall_inputs(k: u32, row: u32, lane: u32) -> Tall {
  let first = input(k, row + lane);
  let second = input(k, row + LANES + lane);
  return Tall(
    subgroupBroadcast(first, 0u), subgroupBroadcast(first, 1u),
    subgroupBroadcast(first, 2u), subgroupBroadcast(first, 3u),
    subgroupBroadcast(first, 4u), subgroupBroadcast(first, 5u),
    subgroupBroadcast(first, 6u), subgroupBroadcast(first, 7u),
    subgroupBroadcast(second, 0u), subgroupBroadcast(second, 1u),
    subgroupBroadcast(second, 2u), subgroupBroadcast(second, 3u),
    subgroupBroadcast(second, 4u), subgroupBroadcast(second, 5u),
    subgroupBroadcast(second, 6u), subgroupBroadcast(second, 7u),
  );
}

// The weights from four inputs (columns of the matrix) to four outputs.
fn weights(at: vec2u) -> mat4x4f {
  return mat4x4f(
    textureLoad(w, at),
    textureLoad(w, at + vec2u(BLOCK, 0u)),
    textureLoad(w, at + vec2u(2u * BLOCK, 0u)),
    textureLoad(w, at + vec2u(3u * BLOCK, 0u)),
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

// Sums wait row by row: a row has some groups of LANES columns of vec4s.
fn keep_tall(first: u32, groups: u32, lane: u32, sum: Tall) {
  sums[first * LANES + lane] = sum.r0;
  sums[(first + 1u * groups) * LANES + lane] = sum.r1;
  sums[(first + 2u * groups) * LANES + lane] = sum.r2;
  sums[(first + 3u * groups) * LANES + lane] = sum.r3;
  sums[(first + 4u * groups) * LANES + lane] = sum.r4;
  sums[(first + 5u * groups) * LANES + lane] = sum.r5;
  sums[(first + 6u * groups) * LANES + lane] = sum.r6;
  sums[(first + 7u * groups) * LANES + lane] = sum.r7;
  sums[(first + 8u * groups) * LANES + lane] = sum.r8;
  sums[(first + 9u * groups) * LANES + lane] = sum.r9;
  sums[(first + 10u * groups) * LANES + lane] = sum.r10;
  sums[(first + 11u * groups) * LANES + lane] = sum.r11;
  sums[(first + 12u * groups) * LANES + lane] = sum.r12;
  sums[(first + 13u * groups) * LANES + lane] = sum.r13;
  sums[(first + 14u * groups) * LANES + lane] = sum.r14;
  sums[(first + 15u * groups) * LANES + lane] = sum.r15;
}

fn keep_low(first: u32, lane: u32, sum: Low) {
  sums[first * LANES + lane] = sum.r0;
  sums[(first + 4u) * LANES + lane] = sum.r1;
  sums[(first + 8u) * LANES + lane] = sum.r2;
  sums[(first + 12u) * LANES + lane] = sum.r3;
}

fn finish(first: u32, count: u32, column: u32, lane: u32, groups: u32) {
  for (var i = 0u; i < count * groups; i++) {
    let row = first + i / groups;
    let at = column + i % groups * LANES;
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
