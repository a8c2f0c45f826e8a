// sae_input: what an autoencoder sees of an activation: u[t] = ((x[t] - shift) - mean) scale - bias
//
//   x       (T, n)   the model's activation, such as the residual stream
//   shift   (n)      what the model that the autoencoder was trained on had not: the values' bias
//   bias    (n)      b_dec, or zeros
//   u       (T, n)
//   scales  (T)      of each position, from `place` on: scale, and what makes the reconstruction: times `back`, plus `mean`
//
// mean is the mean over channels where CENTRED, else 0. scale by NORM:
//   0  1
//   1  1 / (sd + 1e-5), sd with n - 1 (SAELens' layer_norm); back = sd, and the mean is put back
//   2  sqrt(n) / |x| (constant_norm_rescale); back is its inverse
//   3  1 / sqrt(variance + EPSILON): the model's own layer norm without gain and bias
//
// Dispatch: (rows). One workgroup makes a row.

override C4: u32; // n / 4
override CENTRED: bool;
override NORM: u32;
override EPSILON: f32;

struct SaeRows {
  first: u32, // the position of the first row
  row: u32, // where it goes in u
  place: u32, // where it goes in scales
}

const LANES = 64u;

@group(0) @binding(0) var x: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var<storage, read> shift: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var u: texture_storage_2d<rgba32float, write>;
@group(0) @binding(4) var<storage, read_write> scales: array<vec4f>;
@group(1) @binding(0) var<uniform> rows: SaeRows;

var<workgroup> partial: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let position = rows.first + group.x;
  let n = f32(4u * C4);
  var mean = 0.0;
  if (CENTRED) {
    var sum = vec4f();
    for (var c = lane; c < C4; c += LANES) {
      sum += activation(c, position);
    }
    mean = sum_over_lanes(lane, dot(sum, vec4f(1.0))) / n;
  }
  var squares = 0.0;
  if (NORM != 0u) {
    var sum = vec4f();
    for (var c = lane; c < C4; c += LANES) {
      let v = activation(c, position) - mean;
      sum += v * v;
    }
    squares = sum_over_lanes(lane, dot(sum, vec4f(1.0)));
  }
  var scale = 1.0;
  var back = 1.0;
  var put_back = 0.0;
  switch NORM {
    case 1u: {
      back = sqrt(squares / (n - 1.0));
      scale = 1.0 / (back + 1e-5);
      put_back = mean;
    }
    case 2u: {
      back = sqrt(squares / n);
      scale = 1.0 / back;
    }
    case 3u: { scale = inverseSqrt(squares / n + EPSILON); }
    default: {}
  }
  for (var c = lane; c < C4; c += LANES) {
    textureStore(u, vec2u(c, rows.row + group.x), (activation(c, position) - mean) * scale - bias[c]);
  }
  if (lane == 0u) {
    scales[rows.place + group.x] = vec4f(scale, back, put_back, 0.0);
  }
}

fn activation(c: u32, position: u32) -> vec4f {
  return textureLoad(x, vec2u(c, position)) - shift[c];
}

fn sum_over_lanes(lane: u32, value: f32) -> f32 {
  workgroupBarrier(); // the previous sum has been read
  partial[lane] = value;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      partial[lane] += partial[lane + half];
    }
    workgroupBarrier();
  }
  return partial[0];
}
