// linear: y[t, n] = f(b[n] + sum_k x[t, k] w[k, n])
//
//   x (T, K)         activations, four channels a texel
//   w (K, N)         weights, K padded to 16 and N to 64, with zeros
//   b (N)            bias
//   residual (T, N)  the residual stream before, read by ADD only
//   y (T, N)
//
// f is chosen by shape.epilogue: STORE writes row t to row rows.first + t, GELU_NEW, GELU, RELU, SILU and TANH
// apply an activation, ADD adds to the residual stream.
//
// Dispatch: (ceil(N / 64), ceil(T / 32)). One workgroup makes 32 rows x 64 columns. It goes over K in steps of 16, each
// put into workgroup memory once by all invocations together, as GPUs want it: there global loads are slow and shared
// ones are fast. One invocation makes 4 rows x 4 columns.

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

const ROWS = 32u;
const COLUMNS = 16u; // vec4s
const STEP = 4u; // vec4s of inputs
const INVOCATIONS = 128u;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<uniform> rows: Rows;
@group(0) @binding(2) var x: texture_storage_2d<rgba32float, read>;
@group(0) @binding(3) var<storage, read> w: array<vec4f>;
@group(0) @binding(4) var<storage, read> b: array<vec4f>;
@group(0) @binding(5) var residual: texture_storage_2d<rgba32float, read>;
@group(0) @binding(6) var y: texture_storage_2d<rgba32float, write>;

var<workgroup> inputs: array<vec4f, ROWS * STEP>; // a row's four vec4s side by side
var<workgroup> weights: array<vec4f, 4u * STEP * COLUMNS>; // an input's sixteen vec4s side by side

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) index: u32) {
  let column = index % COLUMNS;
  let row = index / COLUMNS * 4u;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  for (var k = 0u; k < shape.inputs; k += STEP) {
    inputs[index] = textureLoad(x, vec2u(k + index % STEP, tile.y * ROWS + index / STEP));
    for (var i = index; i < 4u * STEP * COLUMNS; i += INVOCATIONS) {
      weights[i] = w[(4u * k + i / COLUMNS) * shape.pitch + tile.x * COLUMNS + i % COLUMNS];
    }
    workgroupBarrier();
    for (var q = 0u; q < STEP; q++) {
      let at = 4u * q * COLUMNS + column;
      let m = mat4x4f(weights[at], weights[at + COLUMNS], weights[at + 2u * COLUMNS], weights[at + 3u * COLUMNS]);
      sum0 += m * inputs[row * STEP + q];
      sum1 += m * inputs[(row + 1u) * STEP + q];
      sum2 += m * inputs[(row + 2u) * STEP + q];
      sum3 += m * inputs[(row + 3u) * STEP + q];
    }
    workgroupBarrier();
  }
  let first = tile.y * ROWS + row;
  let at = tile.x * COLUMNS + column;
  finish(at, first, sum0);
  finish(at, first + 1u, sum1);
  finish(at, first + 2u, sum2);
  finish(at, first + 3u, sum3);
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
