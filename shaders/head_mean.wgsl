// head_mean: M[l, i, j] = sum_h A[l, h, i, j] / H
//
//   patterns (L, H, T, T)  packed triangles
//   mean     (L, T, T)     packed triangles
//
// Every definition of flow begins with this mean, so it is made once, behind the forward pass, and stays with
// the patterns: an answer from the cache reads a H-th of them.
//
// Dispatch: (ceil(prompt.head / 64), L), L the layers that are bound. One invocation makes 4 numbers.

override HEADS: u32;

struct Prompt {
  tokens: u32, // T
  head: u32, // vec4s from one head's triangle to the next
}

@group(0) @binding(0) var<uniform> prompt: Prompt;
@group(0) @binding(1) var<storage, read> patterns: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> mean: array<vec4f>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= prompt.head) {
    return;
  }
  var sum = vec4f();
  for (var h = 0u; h < HEADS; h++) {
    sum += patterns[(id.y * HEADS + h) * prompt.head + id.x];
  }
  mean[id.y * prompt.head + id.x] = sum / f32(HEADS);
}
