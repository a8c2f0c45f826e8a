// linear_tiles: y[t, n] = f(b[n] + sum_k x[t, k] w[k, n])
//
//   x (T, K)         activations, four channels a texel
//   w (K, N)         weights, K padded to 8 and N to 64, with zeros
//   b (N)            bias
//   residual (T, N)  the residual stream before, read by ADD only
//   y (T, N)
//
// f is chosen by shape.epilogue: STORE writes row t to row rows.first + t, GELU_NEW, GELU, RELU, SILU and TANH
// apply an activation, ADD adds to the residual stream.
//
// Dispatch: (ceil(N / 64), ceil(T / ROWS)). For GPUs: one workgroup makes ROWS rows x 64 columns. It goes over K in steps
// of 8, each put into workgroup memory once by all invocations together, because global loads are slow there. While one
// step is multiplied, the next is on its way to registers, and goes to the other half of workgroup memory; so there is
// one barrier a step. One invocation makes 8 rows x 4 columns.

override ROWS: u32; // of a tile: 64 or 128

struct Shape {
  inputs: u32, // K / 4
  pitch: u32, // vec4s in a row of w
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

const COLUMNS = 16u; // vec4s of a tile
const STEP = 2u; // vec4s of inputs
const TALL = 8u; // rows of an invocation
const SLICES = 16u;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<uniform> rows: Rows;
@group(0) @binding(2) var x: texture_storage_2d<rgba32float, read>;
@group(0) @binding(3) var<storage, read> w: array<vec4f>;
@group(0) @binding(4) var<storage, read> b: array<vec4f>;
@group(0) @binding(5) var residual: texture_storage_2d<rgba32float, read>;
@group(0) @binding(6) var y: texture_storage_2d<rgba32float, write>;

// Both halves: a row's two vec4s side by side, and an input's sixteen.
var<workgroup> inputs: array<vec4f, 2u * ROWS * STEP>;
var<workgroup> weights: array<vec4f, 2u * 4u * STEP * COLUMNS>;

@compute @workgroup_size(ROWS / TALL * COLUMNS)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) index: u32) {
  let column = index % COLUMNS;
  let row = index / COLUMNS * TALL;
  let slice = slice_length();
  var total0 = vec4f();
  var total1 = vec4f();
  var total2 = vec4f();
  var total3 = vec4f();
  var total4 = vec4f();
  var total5 = vec4f();
  var total6 = vec4f();
  var total7 = vec4f();
  var part0 = vec4f();
  var part1 = vec4f();
  var part2 = vec4f();
  var part3 = vec4f();
  var part4 = vec4f();
  var part5 = vec4f();
  var part6 = vec4f();
  var part7 = vec4f();

  inputs[index] = input_of(0u, tile.y, index);
  if (index < 4u * STEP * COLUMNS) {
    weights[index] = weight_of(0u, tile.x, index);
  }
  workgroupBarrier();
  var half = 0u;
  for (var k = 0u; k < shape.inputs; k += STEP) {
    let next = k + STEP;
    let next_input = input_of(next, tile.y, index);
    var next_weight = vec4f();
    if (next < shape.inputs && index < 4u * STEP * COLUMNS) {
      next_weight = weight_of(next, tile.x, index);
    }
    for (var q = 0u; q < STEP; q++) {
      let at = (half * STEP + q) * 4u * COLUMNS + column;
      let m = mat4x4f(weights[at], weights[at + COLUMNS], weights[at + 2u * COLUMNS], weights[at + 3u * COLUMNS]);
      let begin = (half * ROWS + row) * STEP + q;
      part0 = add_row(part0, inputs[begin + 0u * STEP], m);
      part1 = add_row(part1, inputs[begin + 1u * STEP], m);
      part2 = add_row(part2, inputs[begin + 2u * STEP], m);
      part3 = add_row(part3, inputs[begin + 3u * STEP], m);
      part4 = add_row(part4, inputs[begin + 4u * STEP], m);
      part5 = add_row(part5, inputs[begin + 5u * STEP], m);
      part6 = add_row(part6, inputs[begin + 6u * STEP], m);
      part7 = add_row(part7, inputs[begin + 7u * STEP], m);
    }
    if (next % slice == 0u || next >= shape.inputs) {
      total0 += part0;
      part0 = vec4f();
      total1 += part1;
      part1 = vec4f();
      total2 += part2;
      part2 = vec4f();
      total3 += part3;
      part3 = vec4f();
      total4 += part4;
      part4 = vec4f();
      total5 += part5;
      part5 = vec4f();
      total6 += part6;
      part6 = vec4f();
      total7 += part7;
      part7 = vec4f();
    }
    half = 1u - half;
    inputs[half * ROWS * STEP + index] = next_input;
    if (index < 4u * STEP * COLUMNS) {
      weights[half * 4u * STEP * COLUMNS + index] = next_weight;
    }
    workgroupBarrier();
  }
  let first = tile.y * ROWS + row;
  let at = tile.x * COLUMNS + column;
  finish(at, first + 0u, total0);
  finish(at, first + 1u, total1);
  finish(at, first + 2u, total2);
  finish(at, first + 3u, total3);
  finish(at, first + 4u, total4);
  finish(at, first + 5u, total5);
  finish(at, first + 6u, total6);
  finish(at, first + 7u, total7);
}

fn input_of(k: u32, tile: u32, index: u32) -> vec4f {
  return textureLoad(x, vec2u(k + index % STEP, tile * ROWS + index / STEP));
}

fn weight_of(k: u32, tile: u32, index: u32) -> vec4f {
  return weight((4u * k + index / COLUMNS) * shape.pitch + tile * COLUMNS + index % COLUMNS);
}

// Four weights; another type of w has another function here (src/engine/kernels/half_weights.ts).
fn weight(at: u32) -> vec4f {
  return w[at];
}

// How many vec4s of inputs a slice has: K is summed in SLICES runs, so that linear_thin and linear_tiles add in one order.
fn slice_length() -> u32 {
  return (shape.inputs + SLICES * STEP - 1u) / (SLICES * STEP) * STEP;
}

// sum + m x, an input at a time.
fn add_row(sum: vec4f, x: vec4f, m: mat4x4f) -> vec4f {
  return fma(m[3], x.wwww, fma(m[2], x.zzzz, fma(m[1], x.yyyy, fma(m[0], x.xxxx, sum))));
}

fn finish(at: u32, row: u32, sum: vec4f) {
  if (row >= rows.count) {
    return;
  }
  let value = sum + b[at];
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
