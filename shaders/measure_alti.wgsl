// measure_alti: matrix[i, j] = max(0, |y_i|_1 - |y_i - u_ij|_1), u_ij = sum_h A[h, i, j] f[h, j] + [i = j] x_i
// (ALTI, Ferrando et al. 2022): how much nearer what comes from j brings the target to its y
//
//   f        (H, T, C)  what each head writes for a source, see head_outputs.wgsl
//   x        (T, C)     the residual stream before the layer
//   y        (T, C)     the residual stream after its attention
//   patterns (H, T, T)  of the layer, packed
//   matrix   (T, T)     of the layer, packed
//
// |y| - |y - u| is min(s u, 2 |y| - s u), s the sign of y, channel by channel: a difference of two large sums would lose
// what is small beside y.
//
// Dispatch: (ceil((T - prompt.first) / 8), ceil(T / 8)); targets come first, so that a processor's cache keeps the eight
// sources that one workgroup after the other reads, which are H times as much as the targets. A lane makes 8 targets of
// one source, 16 channels at a time: 32 vec4s in registers, and each number of a pattern is used for 16 channels.

override C4: u32;
override HEADS: u32;

struct Prompt {
  tokens: u32, // T
  first: u32, // the first target to make
  slot: u32,
  row: u32,
  stride: u32, // vec4s from one triangle to the next
}

const LANES = 8u;
const ROWS = 8u;
const GROUPS = 4u;

@group(0) @binding(0) var f: texture_storage_2d_array<rgba32float, read>;
@group(0) @binding(1) var x: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var y: texture_storage_2d<rgba32float, read>;
@group(1) @binding(0) var<uniform> prompt: Prompt;
@group(2) @binding(0) var<storage, read> patterns: array<f32>;
@group(3) @binding(0) var<storage, read_write> matrix: array<f32>;

// The weights of a lane's source in its 8 targets, for each head. A lane reads only what it wrote itself.
var<workgroup> weights: array<vec4f, HEADS * 2u * LANES>;

// A texel of each of the 8 targets.
struct Rows { r0: vec4f, r1: vec4f, r2: vec4f, r3: vec4f, r4: vec4f, r5: vec4f, r6: vec4f, r7: vec4f }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = prompt.first + tile.x * ROWS;
  let begin = tile.y * LANES;
  let last = min(first + ROWS, prompt.tokens) - 1u;
  if (begin >= 4u * (last / 4u + 1u)) {
    return;
  }
  let j = begin + lane;
  let is_on_diagonal = begin <= last && begin + LANES > first;
  for (var h = 0u; h < HEADS; h++) {
    let at = (h * 2u) * LANES + lane;
    weights[at] = vec4f(weight(h, first, j), weight(h, first + 1u, j), weight(h, first + 2u, j), weight(h, first + 3u, j));
    weights[at + LANES] =
      vec4f(weight(h, first + 4u, j), weight(h, first + 5u, j), weight(h, first + 6u, j), weight(h, first + 7u, j));
  }

  var sums = Rows();
  for (var c = 0u; c < C4; c += GROUPS) {
    var u0 = Rows();
    var u1 = Rows();
    var u2 = Rows();
    var u3 = Rows();
    for (var h = 0u; h < HEADS; h++) {
      let a = weights[h * 2u * LANES + lane];
      let b = weights[h * 2u * LANES + LANES + lane];
      add(&u0, a, b, textureLoad(f, vec2u(c, j), h));
      add(&u1, a, b, textureLoad(f, vec2u(c + 1u, j), h));
      add(&u2, a, b, textureLoad(f, vec2u(c + 2u, j), h));
      add(&u3, a, b, textureLoad(f, vec2u(c + 3u, j), h));
    }
    if (is_on_diagonal) {
      add_residual(&u0, c, first, j);
      add_residual(&u1, c + 1u, first, j);
      add_residual(&u2, c + 2u, first, j);
      add_residual(&u3, c + 3u, first, j);
    }
    add_nearness(&sums, c, first, u0);
    if (c + 1u < C4) { add_nearness(&sums, c + 1u, first, u1); }
    if (c + 2u < C4) { add_nearness(&sums, c + 2u, first, u2); }
    if (c + 3u < C4) { add_nearness(&sums, c + 3u, first, u3); }
  }
  put(first, j, sums.r0);
  put(first + 1u, j, sums.r1);
  put(first + 2u, j, sums.r2);
  put(first + 3u, j, sums.r3);
  put(first + 4u, j, sums.r4);
  put(first + 5u, j, sums.r5);
  put(first + 6u, j, sums.r6);
  put(first + 7u, j, sums.r7);
}

fn weight(h: u32, i: u32, j: u32) -> f32 {
  let is_seen = j <= i && i < prompt.tokens;
  let at = 4u * (h * prompt.stride + row_start(i)) + j;
  return select(0.0, patterns[select(0u, at, is_seen)], is_seen);
}

fn add(u: ptr<function, Rows>, a: vec4f, b: vec4f, value: vec4f) {
  (*u).r0 += a.x * value;
  (*u).r1 += a.y * value;
  (*u).r2 += a.z * value;
  (*u).r3 += a.w * value;
  (*u).r4 += b.x * value;
  (*u).r5 += b.y * value;
  (*u).r6 += b.z * value;
  (*u).r7 += b.w * value;
}

// The residual stream is what a target takes from itself.
fn add_residual(u: ptr<function, Rows>, c: u32, first: u32, j: u32) {
  let value = textureLoad(x, vec2u(c, j));
  (*u).r0 += select(vec4f(), value, first == j);
  (*u).r1 += select(vec4f(), value, first + 1u == j);
  (*u).r2 += select(vec4f(), value, first + 2u == j);
  (*u).r3 += select(vec4f(), value, first + 3u == j);
  (*u).r4 += select(vec4f(), value, first + 4u == j);
  (*u).r5 += select(vec4f(), value, first + 5u == j);
  (*u).r6 += select(vec4f(), value, first + 6u == j);
  (*u).r7 += select(vec4f(), value, first + 7u == j);
}

fn add_nearness(sums: ptr<function, Rows>, c: u32, first: u32, u: Rows) {
  (*sums).r0 += nearness(u.r0, textureLoad(y, vec2u(c, first)));
  (*sums).r1 += nearness(u.r1, textureLoad(y, vec2u(c, first + 1u)));
  (*sums).r2 += nearness(u.r2, textureLoad(y, vec2u(c, first + 2u)));
  (*sums).r3 += nearness(u.r3, textureLoad(y, vec2u(c, first + 3u)));
  (*sums).r4 += nearness(u.r4, textureLoad(y, vec2u(c, first + 4u)));
  (*sums).r5 += nearness(u.r5, textureLoad(y, vec2u(c, first + 5u)));
  (*sums).r6 += nearness(u.r6, textureLoad(y, vec2u(c, first + 6u)));
  (*sums).r7 += nearness(u.r7, textureLoad(y, vec2u(c, first + 7u)));
}

// |y| - |y - z|
fn nearness(z: vec4f, y: vec4f) -> vec4f {
  let along = select(-z, z, y >= vec4f());
  return min(along, 2.0 * abs(y) - along);
}

// Rows are padded with zeros.
fn put(i: u32, j: u32, sum: vec4f) {
  if (i < prompt.tokens && j < 4u * (i / 4u + 1u)) {
    matrix[4u * row_start(i) + j] = select(0.0, max(0.0, dot(sum, vec4f(1.0))), j <= i);
  }
}

// Where row i of a packed triangle begins, in vec4s: rows 4g .. 4g+3 take g + 1 each.
fn row_start(i: u32) -> u32 {
  let g = i / 4u;
  return (2u * g + i % 4u) * (g + 1u);
}
