// feature_flow: flow[i, j] = scale[i] sum_h A[h, i, j] sources[h, j], or each head by itself
//
//   patterns (H, T, T)  of one layer, packed
//   sources  (H, T)     by feature_sources.wgsl
//   scales   (T, 4)     of which the first is what the activation was multiplied by before it was encoded
//   flow     (R, T)     or (H, R, T): from `result` on, a row for each target from `first` on; sources after it are 0
//
// Dispatch: (ceil(T / 64), R), or (ceil(T / 64), R, H)

override HEADS: u32;
override BY_HEAD: bool;

struct FeatureFlow {
  tokens: u32, // T
  stride: u32, // vec4s from one head's triangle to the next
  first: u32, // the first target
  rows: u32, // R
  result: u32, // where the first number goes
}

const LANES = 64u;

@group(0) @binding(0) var<storage, read> sources: array<f32>;
@group(0) @binding(1) var<storage, read> scales: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> flow: array<f32>;
@group(1) @binding(0) var<storage, read> patterns: array<f32>;
@group(2) @binding(0) var<uniform> layer: FeatureFlow;

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let j = id.x;
  if (j >= layer.tokens) {
    return;
  }
  let target_position = layer.first + id.y;
  var sum = 0.0;
  if (j <= target_position) {
    let first_head = select(0u, id.z, BY_HEAD);
    let heads = select(HEADS, id.z + 1u, BY_HEAD);
    for (var h = first_head; h < heads; h++) {
      let row = 4u * (h * layer.stride + row_start(target_position));
      sum += patterns[row + j] * sources[h * layer.tokens + j];
    }
    sum *= scales[target_position].x;
  }
  flow[layer.result + (id.z * layer.rows + id.y) * layer.tokens + j] = sum;
}

// Where row i of a packed triangle begins, in vec4s: rows 4g .. 4g+3 take g + 1 each.
fn row_start(i: u32) -> u32 {
  let g = i / 4u;
  return (2u * g + i % 4u) * (g + 1u);
}
