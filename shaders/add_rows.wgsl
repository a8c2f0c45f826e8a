// add_rows: y[t, c] = a[t, c] + b[t, c]
//
//   a (T, C)  four channels a texel
//   b (T, C)
//   y (T, C)
//
// Dispatch: (ceil(C / 4 / 64), T). One invocation makes a texel. What a layer writes is added to the residual stream by
// its linear; only where that output is read or changed on the way is it added here, to the same bits.

override C4: u32; // channels / 4

const WORKGROUP = 64u;

@group(0) @binding(0) var a: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var b: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var y: texture_storage_2d<rgba32float, write>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= C4) {
    return;
  }
  let at = id.xy;
  textureStore(y, at, textureLoad(a, at) + textureLoad(b, at));
}
