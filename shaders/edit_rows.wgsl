// edit_rows: y[t, c] becomes 0, x[t, c] factor, x[t, c] + s[m(t), c] or s[m(t), c], for some positions and heads
//
//   rows  (T)     m(t), the row of s that a position takes, or NONE where it stays as it is
//   heads (H)     1 for heads that are changed; a site without heads has one that is all channels wide
//   x     (R, C)  what is there before, from row 0 and channel 0 on
//   s     (S, C)  what is added or put in its place
//   y     (., .)  the site: its first row is that of position edit.first
//
// Dispatch: (ceil(C / 4 / 64), R), R = T - edit.first. One invocation makes a texel of four channels.

struct Edit {
  action: u32,
  first: u32, // the position of the site's first row
  column: u32, // where the site's channels begin in y, in texels
  row: u32, // where its rows begin
  width: u32, // texels of a head
  texels: u32, // C / 4
  factor: f32,
}

const WORKGROUP = 64u;
const NONE = 0xffffffffu;
const ZERO = 0u;
const SCALE = 1u;
const ADD = 2u;

@group(0) @binding(0) var<uniform> edit: Edit;
@group(0) @binding(1) var<storage, read> rows: array<u32>;
@group(0) @binding(2) var<storage, read> heads: array<u32>;
@group(0) @binding(3) var x: texture_storage_2d<rgba32float, read>;
@group(0) @binding(4) var s: texture_storage_2d<rgba32float, read>;
@group(0) @binding(5) var y: texture_storage_2d<rgba32float, write>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let c = id.x;
  if (c >= edit.texels || heads[c / edit.width] == 0u) {
    return;
  }
  let source = rows[edit.first + id.y];
  if (source == NONE) {
    return;
  }
  let at = vec2u(edit.column + c, edit.row + id.y);
  switch edit.action {
    case ZERO: { textureStore(y, at, vec4f()); }
    case SCALE: { textureStore(y, at, textureLoad(x, vec2u(c, id.y)) * edit.factor); }
    case ADD: { textureStore(y, at, textureLoad(x, vec2u(c, id.y)) + textureLoad(s, vec2u(c, source))); }
    default: { textureStore(y, at, textureLoad(s, vec2u(c, source))); }
  }
}
