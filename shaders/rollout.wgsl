// rollout: R[l] = (M[l] + I) / 2  R[l - 1], R[-1] = I   (attention rollout, Abnar & Zuidema 2020)
//   or, where IDENTITY is 0: R[l] = M[l] R[l - 1], for measures that have the residual stream in them
//
//   mean    (L, T, T)  packed triangles: M, the mean over heads, or a measure's rows
//   rollout (L, T, T)  packed triangles: the running product, the newest layer leftmost, BOS kept
//
// Dispatch, once for each layer in turn: (ceil(ceil(W / 4) / 8), ceil(W / 3)), W = ceil(T / 4) the vec4s of the last row.
// One invocation makes 12 targets x 16 sources: loads from buffers are what costs on a software adapter, and so each
// number is used for as many as registers hold.

override IDENTITY: f32;

struct Prompt {
  tokens: u32, // T
  first: u32, // the first target that was made
  slot: u32,
  row: u32,
  stride: u32, // vec4s from one triangle to the next
}
struct Layer {
  index: u32,
}

@group(0) @binding(0) var<storage, read> mean: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> rollout: array<vec4f>;
@group(1) @binding(0) var<uniform> prompt: Prompt;
@group(2) @binding(0) var<uniform> layer: Layer;

const LANES = 8u;
const SOURCES = 4u; // vec4s of an invocation
const TARGETS = 3u; // groups of four targets, whose rows have the same length each

// Four targets x 16 sources, a matrix for each vec4 of sources; column r is target r.
struct Tile { s0: mat4x4f, s1: mat4x4f, s2: mat4x4f, s3: mat4x4f }

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let source = id.x * SOURCES;
  let group = id.y * TARGETS;
  if (source >= group + TARGETS) {
    return;
  }
  if (layer.index == 0u) {
    for (var g = group; g < group + TARGETS; g++) {
      store(g, source, Tile(weights(g, source), weights(g, source + 1u), weights(g, source + 2u), weights(g, source + 3u)));
    }
    return;
  }
  var sum0 = Tile();
  var sum1 = Tile();
  var sum2 = Tile();
  for (var k = source; k < group + TARGETS; k++) {
    let r = Tile(before(k, source), before(k, source + 1u), before(k, source + 2u), before(k, source + 3u));
    add(&sum0, r, weights(group + 0u, k));
    add(&sum1, r, weights(group + 1u, k));
    add(&sum2, r, weights(group + 2u, k));
  }
  store(group + 0u, source, sum0);
  store(group + 1u, source, sum1);
  store(group + 2u, source, sum2);
}

// M + IDENTITY I: what the four targets of a group take from a vec4 of sources, as columns; nothing from later ones.
fn weights(group: u32, source: u32) -> mat4x4f {
  if (source > group || 4u * group >= prompt.tokens) {
    return mat4x4f();
  }
  let length = group + 1u;
  let at = layer.index * prompt.stride + row_start(4u * group) + source;
  let m = mat4x4f(mean[at], mean[at + length], mean[at + 2u * length], mean[at + 3u * length]);
  return m + mat4x4f(1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1) * select(0.0, IDENTITY, source == group);
}

// R[l - 1]: what the four targets of a group took from a vec4 of sources, as columns.
fn before(group: u32, source: u32) -> mat4x4f {
  if (source > group || 4u * group >= prompt.tokens) {
    return mat4x4f();
  }
  let length = group + 1u;
  let at = (layer.index - 1u) * prompt.stride + row_start(4u * group) + source;
  return mat4x4f(rollout[at], rollout[at + length], rollout[at + 2u * length], rollout[at + 3u * length]);
}

fn add(sum: ptr<function, Tile>, r: Tile, m: mat4x4f) {
  (*sum).s0 += r.s0 * m;
  (*sum).s1 += r.s1 * m;
  (*sum).s2 += r.s2 * m;
  (*sum).s3 += r.s3 * m;
}

fn store(group: u32, source: u32, tile: Tile) {
  put(group, source, tile.s0);
  put(group, source + 1u, tile.s1);
  put(group, source + 2u, tile.s2);
  put(group, source + 3u, tile.s3);
}

fn put(group: u32, source: u32, sum: mat4x4f) {
  if (source > group) {
    return;
  }
  let at = layer.index * prompt.stride + row_start(4u * group) + source;
  for (var row = 0u; row < 4u && 4u * group + row < prompt.tokens; row++) {
    rollout[at + row * (group + 1u)] = sum[row] / (1.0 + IDENTITY);
  }
}

// Where row i of a packed triangle begins, in vec4s: rows 4g .. 4g+3 take g + 1 each.
fn row_start(i: u32) -> u32 {
  let g = i / 4u;
  return (2u * g + i % 4u) * (g + 1u);
}
