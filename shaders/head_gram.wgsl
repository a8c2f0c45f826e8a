// head_gram: G[t, a, b] = f[a, t] . f[b, t], f[H, t] being the residual stream x[t]
//
//   f    (H, T, C)  what each head writes for a source, see head_outputs.wgsl
//   x    (T, C)     the residual stream before the layer; read only if VECTORS is H + 1
//   gram (T, VECTORS, VECTORS)
//
// Lengths of sums of head outputs come from it without the sums: |sum_h a_h f_h|^2 = a . G a.
//
// Dispatch: (T). One invocation makes every 32nd product of a position.

override C4: u32;
override HEADS: u32;
override VECTORS: u32;

const LANES = 32u;

@group(0) @binding(0) var f: texture_storage_2d_array<rgba32float, read>;
@group(0) @binding(1) var x: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var<storage, read_write> gram: array<f32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let t = group.x;
  let first = t * VECTORS * VECTORS;
  for (var pair = lane; pair < VECTORS * VECTORS; pair += LANES) {
    let a = pair / VECTORS;
    let b = pair % VECTORS;
    if (b > a) {
      continue;
    }
    var sum = vec4f();
    for (var c = 0u; c < C4; c++) {
      sum += vector(a, c, t) * vector(b, c, t);
    }
    let product = dot(sum, vec4f(1.0));
    gram[first + a * VECTORS + b] = product;
    gram[first + b * VECTORS + a] = product;
  }
}

fn vector(index: u32, c: u32, t: u32) -> vec4f {
  if (index < HEADS) {
    return textureLoad(f, vec2u(c, t), index);
  }
  return textureLoad(x, vec2u(c, t));
}
