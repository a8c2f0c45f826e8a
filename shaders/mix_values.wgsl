// mix_values: z[i, h, d] = sum_{j <= i} A[h, i, j] v[j, h, d]
//
//   qkv      (T, 3C)    of which the last C channels are the values; a row for each position
//   z        (T, C)     heads side by side, a row for each target that is made
//   patterns (H, T, T)  of one layer, packed as attention_pattern.wgsl wrote them
//
// Dispatch: (ceil(ceil((T - prompt.first) / 8) H ceil(D / 16) / 16)). One invocation makes 8 targets x 16 channels of a
// head: patterns are read from a buffer, which costs eight times as much as the texture that holds the values on a
// software adapter, so that each number of them is used for 16 channels.

override C4: u32; // channels
override D4: u32; // channels of a head
override HEADS: u32;

struct Prompt {
  tokens: u32, // T
  first: u32, // the first target to make
  slot: u32, // the row of position 0 in qkv
  row: u32, // the row of the first target in z
  stride: u32, // vec4s from one head's triangle to the next
}

const ROWS = 8u;
const COLUMNS = 4u;
const WORKGROUP = 16u;

@group(0) @binding(0) var qkv: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var z: texture_storage_2d<rgba32float, write>;
@group(1) @binding(0) var<uniform> prompt: Prompt;
@group(2) @binding(0) var<storage, read> patterns: array<vec4f>;

// One vec4 of channels of each of the 8 targets.
struct Rows { r0: vec4f, r1: vec4f, r2: vec4f, r3: vec4f, r4: vec4f, r5: vec4f, r6: vec4f, r7: vec4f }

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let groups = (D4 + COLUMNS - 1u) / COLUMNS;
  let channel = id.x % groups * COLUMNS; // of the head
  let head = id.x / groups % HEADS;
  let block = id.x / groups / HEADS;
  let first = prompt.first + block * ROWS;
  if (first >= prompt.tokens) {
    return;
  }
  let last = min(first + ROWS, prompt.tokens) - 1u;

  var z0 = Rows();
  var z1 = Rows();
  var z2 = Rows();
  var z3 = Rows();
  for (var source = 0u; source <= last / 4u; source++) {
    let a = Rows(
      weight(head, first, source), weight(head, first + 1u, source),
      weight(head, first + 2u, source), weight(head, first + 3u, source),
      weight(head, first + 4u, source), weight(head, first + 5u, source),
      weight(head, first + 6u, source), weight(head, first + 7u, source),
    );
    let at = vec2u(2u * C4 + head * D4 + channel, prompt.slot + 4u * source);
    add(&z0, a, values(at));
    add(&z1, a, values(at + vec2u(1u, 0u)));
    add(&z2, a, values(at + vec2u(2u, 0u)));
    add(&z3, a, values(at + vec2u(3u, 0u)));
  }
  let row = prompt.row + block * ROWS;
  let c = head * D4 + channel;
  store(c, row, last - first, z0);
  if (channel + 1u < D4) {
    store(c + 1u, row, last - first, z1);
  }
  if (channel + 2u < D4) {
    store(c + 2u, row, last - first, z2);
  }
  if (channel + 3u < D4) {
    store(c + 3u, row, last - first, z3);
  }
}

// What a target takes from four sources; nothing from those that come after it.
fn weight(head: u32, i: u32, source: u32) -> vec4f {
  let is_seen = i < prompt.tokens && source <= i / 4u;
  let at = head * prompt.stride + row_start(i) + source;
  return select(vec4f(), patterns[select(0u, at, is_seen)], is_seen);
}

// Four channels of four sources.
fn values(at: vec2u) -> mat4x4f {
  return mat4x4f(
    textureLoad(qkv, at),
    textureLoad(qkv, at + vec2u(0u, 1u)),
    textureLoad(qkv, at + vec2u(0u, 2u)),
    textureLoad(qkv, at + vec2u(0u, 3u)),
  );
}

fn add(sum: ptr<function, Rows>, a: Rows, v: mat4x4f) {
  (*sum).r0 += v * a.r0;
  (*sum).r1 += v * a.r1;
  (*sum).r2 += v * a.r2;
  (*sum).r3 += v * a.r3;
  (*sum).r4 += v * a.r4;
  (*sum).r5 += v * a.r5;
  (*sum).r6 += v * a.r6;
  (*sum).r7 += v * a.r7;
}

// Writes the rows up to the last target's.
fn store(c: u32, row: u32, last: u32, sum: Rows) {
  textureStore(z, vec2u(c, row), sum.r0);
  if (last >= 1u) { textureStore(z, vec2u(c, row + 1u), sum.r1); }
  if (last >= 2u) { textureStore(z, vec2u(c, row + 2u), sum.r2); }
  if (last >= 3u) { textureStore(z, vec2u(c, row + 3u), sum.r3); }
  if (last >= 4u) { textureStore(z, vec2u(c, row + 4u), sum.r4); }
  if (last >= 5u) { textureStore(z, vec2u(c, row + 5u), sum.r5); }
  if (last >= 6u) { textureStore(z, vec2u(c, row + 6u), sum.r6); }
  if (last >= 7u) { textureStore(z, vec2u(c, row + 7u), sum.r7); }
}

// Where row i of a packed triangle begins, in vec4s: rows 4g .. 4g+3 take g + 1 each.
fn row_start(i: u32) -> u32 {
  let g = i / 4u;
  return (2u * g + i % 4u) * (g + 1u);
}
