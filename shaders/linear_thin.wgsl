// linear_thin: y[t, n] = f(b[n] + sum_k x[t, k] w[k, n])
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
// Dispatch: (ceil(N / 32), ceil(T / 16)). For GPUs and few rows, where reading w once is what takes the time: one
// workgroup makes 16 rows x 32 columns, and K is split over its invocations, so that there are many workgroups and each
// has many loads under way. One invocation makes 16 rows x 4 columns of a sixteenth of the inputs; then the sixteenths are
// added, in their order.

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

const ROWS = 16u;
const COLUMNS = 8u; // vec4s of a tile
const STEP = 2u; // vec4s of inputs
const SLICES = 16u;
const AT_ONCE = 4u; // rows whose slices are added at a time
const INVOCATIONS = 128u;

@group(0) @binding(0) var<uniform> shape: Shape;
@group(0) @binding(1) var<uniform> rows: Rows;
@group(0) @binding(2) var x: texture_storage_2d<rgba32float, read>;
@group(0) @binding(3) var<storage, read> w: array<vec4f>;
@group(0) @binding(4) var<storage, read> b: array<vec4f>;
@group(0) @binding(5) var residual: texture_storage_2d<rgba32float, read>;
@group(0) @binding(6) var y: texture_storage_2d<rgba32float, write>;

// A step of every slice: of a row, its slices, of each two vec4s.
var<workgroup> inputs: array<vec4f, ROWS * SLICES * STEP>;
var<workgroup> parts: array<vec4f, SLICES * AT_ONCE * COLUMNS>;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) index: u32) {
  let column = index % COLUMNS;
  let slice = index / COLUMNS;
  let length = slice_length();
  var part0 = vec4f();
  var part1 = vec4f();
  var part2 = vec4f();
  var part3 = vec4f();
  var part4 = vec4f();
  var part5 = vec4f();
  var part6 = vec4f();
  var part7 = vec4f();
  var part8 = vec4f();
  var part9 = vec4f();
  var part10 = vec4f();
  var part11 = vec4f();
  var part12 = vec4f();
  var part13 = vec4f();
  var part14 = vec4f();
  var part15 = vec4f();

  for (var i = 0u; i < length; i += STEP) {
    workgroupBarrier(); // the step before has been read
    for (var at = index; at < ROWS * SLICES * STEP; at += INVOCATIONS) {
      let k = at / STEP % SLICES * length + i + at % STEP;
      inputs[at] = textureLoad(x, vec2u(k, tile.y * ROWS + at / STEP / SLICES));
    }
    workgroupBarrier();
    for (var q = 0u; q < STEP; q++) {
      let k = slice * length + i + q;
      if (k < shape.inputs) {
        let at = 4u * k * shape.pitch + tile.x * COLUMNS + column;
        let m = mat4x4f(
          weight(at), weight(at + shape.pitch),
          weight(at + 2u * shape.pitch), weight(at + 3u * shape.pitch),
        );
        let begin = slice * STEP + q;
        part0 = add_row(part0, inputs[begin + 0u * SLICES * STEP], m);
        part1 = add_row(part1, inputs[begin + 1u * SLICES * STEP], m);
        part2 = add_row(part2, inputs[begin + 2u * SLICES * STEP], m);
        part3 = add_row(part3, inputs[begin + 3u * SLICES * STEP], m);
        part4 = add_row(part4, inputs[begin + 4u * SLICES * STEP], m);
        part5 = add_row(part5, inputs[begin + 5u * SLICES * STEP], m);
        part6 = add_row(part6, inputs[begin + 6u * SLICES * STEP], m);
        part7 = add_row(part7, inputs[begin + 7u * SLICES * STEP], m);
        part8 = add_row(part8, inputs[begin + 8u * SLICES * STEP], m);
        part9 = add_row(part9, inputs[begin + 9u * SLICES * STEP], m);
        part10 = add_row(part10, inputs[begin + 10u * SLICES * STEP], m);
        part11 = add_row(part11, inputs[begin + 11u * SLICES * STEP], m);
        part12 = add_row(part12, inputs[begin + 12u * SLICES * STEP], m);
        part13 = add_row(part13, inputs[begin + 13u * SLICES * STEP], m);
        part14 = add_row(part14, inputs[begin + 14u * SLICES * STEP], m);
        part15 = add_row(part15, inputs[begin + 15u * SLICES * STEP], m);
      }
    }
  }
  let here = slice * AT_ONCE * COLUMNS + column;
  add_up(0u, tile, index, here, part0, part1, part2, part3);
  add_up(4u, tile, index, here, part4, part5, part6, part7);
  add_up(8u, tile, index, here, part8, part9, part10, part11);
  add_up(12u, tile, index, here, part12, part13, part14, part15);
}

// Adds the slices of four rows up, from row `first` of the tile on.
fn add_up(
  first: u32, tile: vec3u, index: u32, here: u32, part0: vec4f, part1: vec4f, part2: vec4f, part3: vec4f,
) {
  workgroupBarrier(); // the rows before have been read
  parts[here] = part0;
  parts[here + COLUMNS] = part1;
  parts[here + 2u * COLUMNS] = part2;
  parts[here + 3u * COLUMNS] = part3;
  workgroupBarrier();
  if (index < AT_ONCE * COLUMNS) {
    var total = vec4f();
    for (var slice = 0u; slice < SLICES; slice++) {
      total += parts[slice * AT_ONCE * COLUMNS + index];
    }
    finish(tile.x * COLUMNS + index % COLUMNS, tile.y * ROWS + first + index / COLUMNS, total);
  }
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
