// zeroed_middle: z[r] = y[i] - sum_h A[h, i, j] f[h, j], (i, j) = pairs[block.first + r]
//
//   pairs    (block by block)  targets and sources
//   f        (H, T, C)  what each head writes for a source, see head_outputs.wgsl
//   y        (T, C)     the residual stream after the layer's attention
//   z        (R, C)     what that stream would be at the target if the source's values were nothing
//   patterns (H, T, T)  of the layer, packed
//
// Dispatch: (R). One workgroup makes one row.

override C4: u32;
override HEADS: u32;

struct Block {
  first: u32, // the pair of row 0
}
struct Prompt {
  tokens: u32,
  first: u32,
  slot: u32,
  row: u32,
  stride: u32, // vec4s from one triangle to the next
}

const LANES = 32u;

@group(0) @binding(0) var<storage, read> pairs: array<vec2u>;
@group(0) @binding(1) var f: texture_storage_2d_array<rgba32float, read>;
@group(0) @binding(2) var y: texture_storage_2d<rgba32float, read>;
@group(0) @binding(3) var z: texture_storage_2d<rgba32float, write>;
@group(1) @binding(0) var<uniform> prompt: Prompt;
@group(2) @binding(0) var<storage, read> patterns: array<f32>;
@group(3) @binding(0) var<uniform> block: Block;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let pair = pairs[block.first + group.x];
  let at = 4u * row_start(pair.x) + pair.y;
  for (var c = lane; c < C4; c += LANES) {
    var taken = vec4f();
    for (var h = 0u; h < HEADS; h++) {
      taken += patterns[4u * h * prompt.stride + at] * textureLoad(f, vec2u(c, pair.y), h);
    }
    textureStore(z, vec2u(c, group.x), textureLoad(y, vec2u(c, pair.x)) - taken);
  }
}

// Where row i of a packed triangle begins, in vec4s: rows 4g .. 4g+3 take g + 1 each.
fn row_start(i: u32) -> u32 {
  let g = i / 4u;
  return (2u * g + i % 4u) * (g + 1u);
}
