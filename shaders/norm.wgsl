// norm: y[t, c] = (x[t, c] - mean_t) / sqrt(variance_t + EPSILON) * gain[c] + bias[c]   (layer norm)
//
//   x      (T, C)  residual stream, four channels a texel
//   affine (2, C)  gain, and bias
//   y      (T, C)
//
// Dispatch: (T). For GPUs: one workgroup normalises one row: it sums, then sums squares of what is left when the mean
// is gone, because residual streams have channels in the thousands and E[x^2] - E[x]^2 would lose them.

override C4: u32;
override EPSILON: f32;

const LANES = 64u;

@group(0) @binding(0) var x: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var affine: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var y: texture_storage_2d<rgba32float, write>;

var<workgroup> partial: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x;
  let channels = f32(4u * C4);

  var sum = vec4f();
  for (var c = lane; c < C4; c += LANES) {
    sum += textureLoad(x, vec2u(c, row));
  }
  let mean = sum_over_lanes(lane, dot(sum, vec4f(1.0))) / channels;

  var squares = vec4f();
  for (var c = lane; c < C4; c += LANES) {
    let centred = textureLoad(x, vec2u(c, row)) - mean;
    squares += centred * centred;
  }
  let variance = sum_over_lanes(lane, dot(squares, vec4f(1.0))) / channels;

  let scale = 1.0 / sqrt(variance + EPSILON);
  for (var c = lane; c < C4; c += LANES) {
    let centred = textureLoad(x, vec2u(c, row)) - mean;
    let gain = textureLoad(affine, vec2u(c, 0u));
    let bias = textureLoad(affine, vec2u(c, 1u));
    textureStore(y, vec2u(c, row), centred * scale * gain + bias);
  }
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
