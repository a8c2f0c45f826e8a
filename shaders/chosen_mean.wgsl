// chosen_mean: M[c, i, j] = sum over the chosen heads h of A[layer c, h, i, j] / how many they are
//
//   patterns (L, H, T, T)  packed triangles of some layers
//   indices                of each chosen layer in these, and each chosen head of it: where its triangle begins, in
//                          vec4s; the first one at prompt.triangles
//   mean     (C, T, T)     packed triangles; that of the first chosen layer in these begins at prompt.result, in vec4s
//
// What head_mean is for all heads. A flow of some heads or layers is made from it as any other is from head_mean.
//
// Dispatch: (ceil(prompt.stride / 64), C), C the chosen layers that are bound. One invocation makes 4 numbers.

struct Prompt {
  tokens: u32, // T
  first: u32,
  slot: u32,
  row: u32,
  stride: u32, // vec4s from one triangle to the next
  kept: u32,
  aggregate: u32,
  result: u32,
  layers: u32,
  heads: u32, // how many are chosen
  triangles: u32,
}

const WORKGROUP = 64u;

@group(0) @binding(0) var<storage, read> patterns: array<vec4f>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read_write> mean: array<vec4f>;
@group(1) @binding(0) var<uniform> prompt: Prompt;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= prompt.stride) {
    return;
  }
  var sum = vec4f();
  for (var h = 0u; h < prompt.heads; h++) {
    sum += patterns[indices[prompt.triangles + id.y * prompt.heads + h] + id.x];
  }
  mean[prompt.result + id.y * prompt.stride + id.x] = sum / f32(prompt.heads);
}
