// head_outputs: f[h, t] = v[t, h] W_O[h], what head h writes into the residual stream for all that it takes from t
//
//   qkv (T, 3C)    of one layer, of which the last C channels are the values
//   w   (C, C)     the attention's output matrix, a row for each channel of the heads, four columns a texel
//   f   (H, T, C)  a texture for each head
//
// The values have their bias in them; the bias of the output belongs to no head and no source (Kobayashi et al. 2020).
//
// Dispatch: (ceil(C / 128), ceil(T / 8), H). One invocation makes 8 positions x 16 channels of a head.

override C4: u32; // channels
override D4: u32; // channels of a head

struct Prompt {
  tokens: u32, // T
  first: u32,
  slot: u32, // the row of position 0 in qkv
}

const LANES = 8u;
const ROWS = 8u;
const GROUPS = 4u; // of LANES texels

@group(0) @binding(0) var qkv: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var w: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var f: texture_storage_2d_array<rgba32float, write>;
@group(1) @binding(0) var<uniform> prompt: Prompt;

// A texel of each of the 8 positions.
struct Rows { r0: vec4f, r1: vec4f, r2: vec4f, r3: vec4f, r4: vec4f, r5: vec4f, r6: vec4f, r7: vec4f }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) lane: u32) {
  let column = tile.x * LANES * GROUPS + lane;
  let row = tile.y * ROWS;
  let head = tile.z;
  var group0 = Rows();
  var group1 = Rows();
  var group2 = Rows();
  var group3 = Rows();
  for (var d = 0u; d < D4; d++) {
    let channel = head * D4 + d;
    let at = vec2u(2u * C4 + channel, prompt.slot + row);
    let v = Rows(
      value(at, 0u), value(at, 1u), value(at, 2u), value(at, 3u),
      value(at, 4u), value(at, 5u), value(at, 6u), value(at, 7u),
    );
    add(&group0, v, weights(column, channel));
    add(&group1, v, weights(column + LANES, channel));
    add(&group2, v, weights(column + 2u * LANES, channel));
    add(&group3, v, weights(column + 3u * LANES, channel));
  }
  store(column, row, head, group0);
  store(column + LANES, row, head, group1);
  store(column + 2u * LANES, row, head, group2);
  store(column + 3u * LANES, row, head, group3);
}

fn value(at: vec2u, r: u32) -> vec4f {
  return textureLoad(qkv, at + vec2u(0u, r));
}

// From four channels of the head to four of the residual stream.
fn weights(column: u32, channel: u32) -> mat4x4f {
  let at = vec2u(column, 4u * channel);
  return mat4x4f(
    textureLoad(w, at),
    textureLoad(w, at + vec2u(0u, 1u)),
    textureLoad(w, at + vec2u(0u, 2u)),
    textureLoad(w, at + vec2u(0u, 3u)),
  );
}

fn add(sum: ptr<function, Rows>, v: Rows, w: mat4x4f) {
  (*sum).r0 += w * v.r0;
  (*sum).r1 += w * v.r1;
  (*sum).r2 += w * v.r2;
  (*sum).r3 += w * v.r3;
  (*sum).r4 += w * v.r4;
  (*sum).r5 += w * v.r5;
  (*sum).r6 += w * v.r6;
  (*sum).r7 += w * v.r7;
}

fn store(column: u32, row: u32, head: u32, sum: Rows) {
  put(column, row, head, sum.r0);
  put(column, row + 1u, head, sum.r1);
  put(column, row + 2u, head, sum.r2);
  put(column, row + 3u, head, sum.r3);
  put(column, row + 4u, head, sum.r4);
  put(column, row + 5u, head, sum.r5);
  put(column, row + 6u, head, sum.r6);
  put(column, row + 7u, head, sum.r7);
}

fn put(column: u32, row: u32, head: u32, value: vec4f) {
  if (column < C4 && row < prompt.tokens) {
    textureStore(f, vec2u(column, row), head, value);
  }
}
