// mean_rows: y[0, c] = sum_{t >= first} x[t, c] / (T - first)
//
//   x (T, C)  four channels a texel
//   y (1, C)
//
// Dispatch: (ceil(C / 4 / 64)). One invocation makes a texel.

override C4: u32; // channels / 4

struct Positions {
  first: u32,
  end: u32, // T
}

const WORKGROUP = 64u;

@group(0) @binding(0) var<uniform> positions: Positions;
@group(0) @binding(1) var x: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var y: texture_storage_2d<rgba32float, write>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= C4) {
    return;
  }
  var sum = vec4f();
  for (var t = positions.first; t < positions.end; t++) {
    sum += textureLoad(x, vec2u(id.x, t));
  }
  textureStore(y, vec2u(id.x, 0u), sum / f32(positions.end - positions.first));
}
