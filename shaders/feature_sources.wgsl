// feature_sources: sources[h, j] = sum_d (v[j, h, d] - shift[h, d]) reach[h, d]
//
//   qkv     (T, 3C)  of one layer, of which the last C channels are the values
//   reach   (C)      from `first` on: what a channel of a head's output adds to a feature
//   shift   (C)      what is taken off the values, or zeros
//   sources (H, T)   what a head that looks at a position only would add
//
// Dispatch: (ceil(T / 64), H)

override C4: u32; // channels
override D4: u32; // channels of a head

struct FeatureSources {
  tokens: u32, // T
  first: u32, // of reach, in vec4s
}

const LANES = 64u;

@group(0) @binding(0) var qkv: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var<storage, read> reach: array<vec4f>;
@group(0) @binding(2) var<storage, read> shift: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> sources: array<f32>;
@group(1) @binding(0) var<uniform> layer: FeatureSources;

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let j = id.x;
  if (j >= layer.tokens) {
    return;
  }
  var sum = vec4f();
  for (var d = 0u; d < D4; d++) {
    let c = id.y * D4 + d;
    sum += (textureLoad(qkv, vec2u(2u * C4 + c, j)) - shift[c]) * reach[layer.first + c];
  }
  sources[id.y * layer.tokens + j] = dot(sum, vec4f(1.0));
}
