// linear: y[t, n] = f(b[n] + sum_k x[t, k] w[k, n])
//
//   x (T, K)  activations; a row is X_STRIDE vec4s long, of which K4 are read
//   w (K, N)  weights in the layout of GPT-2's checkpoints (inputs x outputs)
//   b (N)     bias
//   y (T, N)
//
// f is chosen by EPILOGUE: 0 nothing, 1 gelu_new, 2 "add": y holds the residual stream and is added to.
// T is padded to 16 rows and N to 16 columns, with zeros in w and b, so that no tile has an edge.
//
// Dispatch: (ceil(N / 128), T / 16). One invocation makes a tile of 16 rows x 16 columns (4 vec4s) in
// registers: on the adapters measured loads are what costs, and a tile this large does 32 fma for each
// number it loads.

override K4: u32;
override N4: u32;
override X_STRIDE: u32;
override EPILOGUE: u32 = 0u;

const GELU = 1u;
const ADD = 2u;

@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read> w: array<vec4f>;
@group(0) @binding(2) var<storage, read> b: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;

// One vec4 of each of the tile's 16 rows. Named members, not an array: those stay in registers everywhere.
struct Rows {
  r0: vec4f, r1: vec4f, r2: vec4f, r3: vec4f, r4: vec4f, r5: vec4f, r6: vec4f, r7: vec4f,
  r8: vec4f, r9: vec4f, r10: vec4f, r11: vec4f, r12: vec4f, r13: vec4f, r14: vec4f, r15: vec4f,
}

@compute @workgroup_size(8)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = tile.y * 16u;
  let column = (tile.x * 8u + lane) * 4u;
  if (column >= N4) {
    return;
  }
  var sum0 = Rows();
  var sum1 = Rows();
  var sum2 = Rows();
  var sum3 = Rows();
  for (var k = 0u; k < K4; k++) {
    let inputs = load_inputs(row * X_STRIDE + k);
    let at = 4u * k * N4 + column;
    accumulate(&sum0, inputs, load_weights(at));
    accumulate(&sum1, inputs, load_weights(at + 1u));
    accumulate(&sum2, inputs, load_weights(at + 2u));
    accumulate(&sum3, inputs, load_weights(at + 3u));
  }
  store(row, column, sum0);
  store(row, column + 1u, sum1);
  store(row, column + 2u, sum2);
  store(row, column + 3u, sum3);
}

// Four inputs of each row.
fn load_inputs(at: u32) -> Rows {
  return Rows(
    x[at], x[at + X_STRIDE], x[at + 2u * X_STRIDE], x[at + 3u * X_STRIDE],
    x[at + 4u * X_STRIDE], x[at + 5u * X_STRIDE], x[at + 6u * X_STRIDE], x[at + 7u * X_STRIDE],
    x[at + 8u * X_STRIDE], x[at + 9u * X_STRIDE], x[at + 10u * X_STRIDE], x[at + 11u * X_STRIDE],
    x[at + 12u * X_STRIDE], x[at + 13u * X_STRIDE], x[at + 14u * X_STRIDE], x[at + 15u * X_STRIDE],
  );
}

// The weights from four inputs (columns of the matrix) to four outputs.
fn load_weights(at: u32) -> mat4x4f {
  return mat4x4f(w[at], w[at + N4], w[at + 2u * N4], w[at + 3u * N4]);
}

fn accumulate(sum: ptr<function, Rows>, inputs: Rows, weights: mat4x4f) {
  (*sum).r0 += weights * inputs.r0;
  (*sum).r1 += weights * inputs.r1;
  (*sum).r2 += weights * inputs.r2;
  (*sum).r3 += weights * inputs.r3;
  (*sum).r4 += weights * inputs.r4;
  (*sum).r5 += weights * inputs.r5;
  (*sum).r6 += weights * inputs.r6;
  (*sum).r7 += weights * inputs.r7;
  (*sum).r8 += weights * inputs.r8;
  (*sum).r9 += weights * inputs.r9;
  (*sum).r10 += weights * inputs.r10;
  (*sum).r11 += weights * inputs.r11;
  (*sum).r12 += weights * inputs.r12;
  (*sum).r13 += weights * inputs.r13;
  (*sum).r14 += weights * inputs.r14;
  (*sum).r15 += weights * inputs.r15;
}

fn store(row: u32, column: u32, sum: Rows) {
  let at = row * N4 + column;
  let bias = b[column];
  finish(at, sum.r0 + bias);
  finish(at + N4, sum.r1 + bias);
  finish(at + 2u * N4, sum.r2 + bias);
  finish(at + 3u * N4, sum.r3 + bias);
  finish(at + 4u * N4, sum.r4 + bias);
  finish(at + 5u * N4, sum.r5 + bias);
  finish(at + 6u * N4, sum.r6 + bias);
  finish(at + 7u * N4, sum.r7 + bias);
  finish(at + 8u * N4, sum.r8 + bias);
  finish(at + 9u * N4, sum.r9 + bias);
  finish(at + 10u * N4, sum.r10 + bias);
  finish(at + 11u * N4, sum.r11 + bias);
  finish(at + 12u * N4, sum.r12 + bias);
  finish(at + 13u * N4, sum.r13 + bias);
  finish(at + 14u * N4, sum.r14 + bias);
  finish(at + 15u * N4, sum.r15 + bias);
}

fn finish(at: u32, value: vec4f) {
  switch EPILOGUE {
    case GELU: { y[at] = gelu_new(value); }
    case ADD: { y[at] += value; }
    default: { y[at] = value; }
  }
}

// GPT-2's gelu_new: v (1 + tanh(sqrt(2 / pi) (v + 0.044715 v^3))) / 2, after Hendrycks & Gimpel 2016.
// Beyond 10, tanh is 1 in float32, and some drivers make NaN of it: so it is never asked.
fn gelu_new(v: vec4f) -> vec4f {
  let inner = 0.7978845608028654 * (v + 0.044715 * v * v * v);
  return 0.5 * v * (1.0 + tanh(clamp(inner, vec4f(-10.0), vec4f(10.0))));
}
