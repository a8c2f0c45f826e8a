// gather_rows: y[r] = x[sources[r]]
//
//   x       (R, C)   four channels a texel
//   y       (R', C)
//   sources (R')     rows of x
//
// Dispatch: (ceil(C4 / 16), R').

override C4: u32; // channels

const LANES = 16u;

@group(0) @binding(0) var x: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var y: texture_storage_2d<rgba32float, write>;
@group(1) @binding(0) var<storage, read> sources: array<u32>;

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  let row = id.y;
  if (c >= C4) {
    return;
  }
  textureStore(y, vec2u(c, row), textureLoad(x, vec2u(c, sources[row])));
}
