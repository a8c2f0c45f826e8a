// head_mean: M[l, i, j] = sum_h A[l, h, i, j] / H
//
//   patterns (L, H, T, T)  packed triangles
//   mean     (L, T, T)     packed triangles
//
// Every definition of flow begins with this mean, so it is made once, after the forward pass, and stays with
// the patterns: an answer from the cache reads a H-th of them.
//
// Dispatch: (ceil((prompt.stride - row_start(prompt.first)) / 64), L), L the layers that are bound. Rows before
// prompt.first are there already. One invocation makes 4 numbers.

override HEADS: u32;

struct Prompt {
  tokens: u32, // T
  first: u32, // the first target that was made
  slot: u32,
  row: u32,
  stride: u32, // vec4s from one triangle to the next
}

const WORKGROUP = 64u;

@group(0) @binding(0) var<storage, read> patterns: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> mean: array<vec4f>;
@group(1) @binding(0) var<uniform> prompt: Prompt;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let at = row_start(prompt.first) + id.x;
  if (at >= prompt.stride) {
    return;
  }
  var sum = vec4f();
  for (var h = 0u; h < HEADS; h++) {
    sum += patterns[(id.y * HEADS + h) * prompt.stride + at];
  }
  mean[id.y * prompt.stride + at] = sum / f32(HEADS);
}

// Where row i of a packed triangle begins, in vec4s: rows 4g .. 4g+3 take g + 1 each.
fn row_start(i: u32) -> u32 {
  let g = i / 4u;
  return (2u * g + i % 4u) * (g + 1u);
}
