// rollout: R[l] = (M[l] + I) / 2  R[l - 1], R[-1] = I   (attention rollout, Abnar & Zuidema 2020)
//   or, where IDENTITY is 0: R[l] = M[l] R[l - 1], for measures that have the residual stream in them
//
//   mean    (L, T, T)  packed triangles: M, the mean over heads, or a measure's rows
//   rollout (L, T, T)  packed triangles: the running product, the newest layer leftmost, BOS kept
//
// Dispatch, once for each layer in turn: (ceil(W / 32), ceil(T / 4)), W = ceil(T / 4) the vec4s of the last row.
// One invocation makes 4 targets x 4 sources; those of one group of four rows have the same length.

override IDENTITY: f32;

struct Prompt {
  tokens: u32, // T
  first: u32, // the first target that was made
  slot: u32,
  row: u32,
  stride: u32, // vec4s from one triangle to the next
}
struct Layer {
  index: u32,
}

@group(0) @binding(0) var<storage, read> mean: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> rollout: array<vec4f>;
@group(1) @binding(0) var<uniform> prompt: Prompt;
@group(2) @binding(0) var<uniform> layer: Layer;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let source = id.x; // a vec4 of sources
  let g = id.y; // a group of four targets
  if (source > g || 4u * g >= prompt.tokens) {
    return;
  }
  let length = g + 1u;
  let rows = layer.index * prompt.stride + row_start(4u * g);
  let identity = IDENTITY * mat4x4f(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1);

  var sum = mat4x4f();
  if (layer.index == 0u) {
    let m = rows + source;
    sum = mat4x4f(mean[m], mean[m + length], mean[m + 2u * length], mean[m + 3u * length]);
    if (source == g) {
      sum += identity;
    }
  } else {
    let before = (layer.index - 1u) * prompt.stride;
    for (var k = source; k <= g; k++) {
      let m = rows + k;
      var weights = mat4x4f(mean[m], mean[m + length], mean[m + 2u * length], mean[m + 3u * length]);
      if (k == g) {
        weights += identity;
      }
      let r = before + row_start(4u * k) + source;
      sum += mat4x4f(rollout[r], rollout[r + k + 1u], rollout[r + 2u * (k + 1u)], rollout[r + 3u * (k + 1u)]) * weights;
    }
  }
  for (var row = 0u; row < 4u && 4u * g + row < prompt.tokens; row++) {
    rollout[rows + row * length + source] = sum[row] / (1.0 + IDENTITY);
  }
}

// Where row i of a packed triangle begins, in vec4s: rows 4g .. 4g+3 take g + 1 each.
fn row_start(i: u32) -> u32 {
  let g = i / 4u;
  return (2u * g + i % 4u) * (g + 1u);
}
