// feature_reach: reach[r] = matrix[r] . w, and b . w after them
//
//   matrix (R, C)   such as W_O of a layer, a row for each channel of the heads; or the stream, a row for each position
//   b      (C)      such as the layer's b_O
//   w      (C)      a direction of the stream
//   reach  (R + 1)  from `first` on
//
// Dispatch: (ceil((R + 1) / 64))

override C4: u32; // C / 4

struct FeatureReach {
  rows: u32, // R
  first: u32, // of reach
}

const LANES = 64u;

@group(0) @binding(0) var matrix: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var<storage, read> b: array<vec4f>;
@group(0) @binding(2) var<storage, read> w: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> reach: array<f32>;
@group(1) @binding(0) var<uniform> rows: FeatureReach;

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x > rows.rows) {
    return;
  }
  var sum = vec4f();
  for (var c = 0u; c < C4; c++) {
    if (id.x < rows.rows) {
      sum += textureLoad(matrix, vec2u(c, id.x)) * w[c];
    } else {
      sum += b[c] * w[c];
    }
  }
  reach[rows.first + id.x] = dot(sum, vec4f(1.0));
}
