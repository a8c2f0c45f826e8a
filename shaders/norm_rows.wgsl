// norm_rows: y[t, c] = (x[t, c] - mean_t) / sqrt(variance_t + EPSILON) * gain[c] + bias[c]   (layer norm)
//
//   x      (T, C)  residual stream, four channels a texel
//   affine (2, C)  gain, and bias
//   y      (T, C)  rows from T up to a multiple of 8 are written too, where there are any
//
// norm.wgsl for software adapters, where each lane loads by itself wherever its loads go, and a barrier costs more than
// what it shares: an invocation has a row to itself.
//
// Dispatch: (ceil(T / 8)). It sums, then sums squares of what is left when the mean is gone, as norm.wgsl does.

override C4: u32;
override EPSILON: f32;

const ROWS = 8u;

@group(0) @binding(0) var x: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var affine: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var y: texture_storage_2d<rgba32float, write>;

@compute @workgroup_size(ROWS)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  let channels = f32(4u * C4);

  var sum = vec4f();
  for (var c = 0u; c < C4; c++) {
    sum += textureLoad(x, vec2u(c, row));
  }
  let mean = dot(sum, vec4f(1.0)) / channels;

  var squares = vec4f();
  for (var c = 0u; c < C4; c++) {
    let centred = textureLoad(x, vec2u(c, row)) - mean;
    squares += centred * centred;
  }
  let scale = 1.0 / sqrt(dot(squares, vec4f(1.0)) / channels + EPSILON);

  for (var c = 0u; c < C4; c++) {
    let centred = textureLoad(x, vec2u(c, row)) - mean;
    let gain = textureLoad(affine, vec2u(c, 0u));
    let bias = textureLoad(affine, vec2u(c, 1u));
    textureStore(y, vec2u(c, row), centred * scale * gain + bias);
  }
}
