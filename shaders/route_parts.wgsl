// route_parts: parts[h, i, j] = max(FLOOR, |y_i|_1 - |y_i - A[h, i, j] f[h, j]|_1)
// (information flow routes, Ferrando & Voita 2024): how much nearer head h brings target i to its y by what it takes
// from j
//
//   f        (H, T, C)  what each head writes for a source, see head_outputs.wgsl
//   y        (T, C)     the residual stream after the layer's attention
//   patterns (H, T, T)  of the layer, packed
//   parts    (H, T, T)  packed, and not yet divided by the sums of rows
//
// |y| - |y - z| is taken channel by channel, see measure_alti.wgsl.
//
// Dispatch: (ceil(T / 8), ceil((T - prompt.first) / 8), ceil(H / 4)). A lane makes 8 targets of one source in 4 heads.

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
const HEADS_AT_ONCE = 4u;
const FLOOR = 1e-5;

@group(0) @binding(0) var f: texture_storage_2d_array<rgba32float, read>;
@group(0) @binding(1) var y: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var<storage, read_write> parts: array<f32>;
@group(1) @binding(0) var<uniform> prompt: Prompt;
@group(2) @binding(0) var<storage, read> patterns: array<f32>;

// A texel of each of the 8 targets.
struct Rows { r0: vec4f, r1: vec4f, r2: vec4f, r3: vec4f, r4: vec4f, r5: vec4f, r6: vec4f, r7: vec4f }

// What a head takes from a source for each of the 8 targets.
struct Weights { a: vec4f, b: vec4f }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) lane: u32) {
  let first = prompt.first + tile.y * ROWS;
  let begin = tile.x * LANES;
  let last = min(first + ROWS, prompt.tokens) - 1u;
  if (begin >= 4u * (last / 4u + 1u)) {
    return;
  }
  let j = begin + lane;
  let head = tile.z * HEADS_AT_ONCE;
  let w0 = weights_of(head, first, j);
  let w1 = weights_of(head + 1u, first, j);
  let w2 = weights_of(head + 2u, first, j);
  let w3 = weights_of(head + 3u, first, j);
  var sums0 = Rows();
  var sums1 = Rows();
  var sums2 = Rows();
  var sums3 = Rows();
  for (var c = 0u; c < C4; c++) {
    let targets = Rows(
      textureLoad(y, vec2u(c, first)), textureLoad(y, vec2u(c, first + 1u)),
      textureLoad(y, vec2u(c, first + 2u)), textureLoad(y, vec2u(c, first + 3u)),
      textureLoad(y, vec2u(c, first + 4u)), textureLoad(y, vec2u(c, first + 5u)),
      textureLoad(y, vec2u(c, first + 6u)), textureLoad(y, vec2u(c, first + 7u)),
    );
    add(&sums0, w0, textureLoad(f, vec2u(c, j), head), targets);
    add(&sums1, w1, textureLoad(f, vec2u(c, j), min(head + 1u, HEADS - 1u)), targets);
    add(&sums2, w2, textureLoad(f, vec2u(c, j), min(head + 2u, HEADS - 1u)), targets);
    add(&sums3, w3, textureLoad(f, vec2u(c, j), min(head + 3u, HEADS - 1u)), targets);
  }
  store(head, first, j, sums0);
  if (head + 1u < HEADS) { store(head + 1u, first, j, sums1); }
  if (head + 2u < HEADS) { store(head + 2u, first, j, sums2); }
  if (head + 3u < HEADS) { store(head + 3u, first, j, sums3); }
}

fn weights_of(h: u32, i: u32, j: u32) -> Weights {
  return Weights(
    vec4f(weight(h, i, j), weight(h, i + 1u, j), weight(h, i + 2u, j), weight(h, i + 3u, j)),
    vec4f(weight(h, i + 4u, j), weight(h, i + 5u, j), weight(h, i + 6u, j), weight(h, i + 7u, j)),
  );
}

fn weight(h: u32, i: u32, j: u32) -> f32 {
  let is_seen = h < HEADS && j <= i && i < prompt.tokens;
  let at = 4u * (h * prompt.stride + row_start(i)) + j;
  return select(0.0, patterns[select(0u, at, is_seen)], is_seen);
}

fn add(sums: ptr<function, Rows>, w: Weights, value: vec4f, targets: Rows) {
  (*sums).r0 += nearness(w.a.x * value, targets.r0);
  (*sums).r1 += nearness(w.a.y * value, targets.r1);
  (*sums).r2 += nearness(w.a.z * value, targets.r2);
  (*sums).r3 += nearness(w.a.w * value, targets.r3);
  (*sums).r4 += nearness(w.b.x * value, targets.r4);
  (*sums).r5 += nearness(w.b.y * value, targets.r5);
  (*sums).r6 += nearness(w.b.z * value, targets.r6);
  (*sums).r7 += nearness(w.b.w * value, targets.r7);
}

// |y| - |y - z|, see measure_alti.wgsl
fn nearness(z: vec4f, y: vec4f) -> vec4f {
  let along = select(-z, z, y >= vec4f());
  return min(along, 2.0 * abs(y) - along);
}

fn store(h: u32, first: u32, j: u32, sums: Rows) {
  put(h, first, j, sums.r0);
  put(h, first + 1u, j, sums.r1);
  put(h, first + 2u, j, sums.r2);
  put(h, first + 3u, j, sums.r3);
  put(h, first + 4u, j, sums.r4);
  put(h, first + 5u, j, sums.r5);
  put(h, first + 6u, j, sums.r6);
  put(h, first + 7u, j, sums.r7);
}

// Rows are padded with zeros.
fn put(h: u32, i: u32, j: u32, sum: vec4f) {
  if (i < prompt.tokens && j < 4u * (i / 4u + 1u)) {
    let at = 4u * (h * prompt.stride + row_start(i)) + j;
    parts[at] = select(0.0, max(FLOOR, dot(sum, vec4f(1.0))), j <= i);
  }
}

// Where row i of a packed triangle begins, in vec4s: rows 4g .. 4g+3 take g + 1 each.
fn row_start(i: u32) -> u32 {
  let g = i / 4u;
  return (2u * g + i % 4u) * (g + 1u);
}
