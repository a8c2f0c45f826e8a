// mix_broadcast: z[i, h, d] = sum_{j <= i} A[h, i, j] v[j, h, d]
//
//   qkv      (T, 3C)    of which the last C channels are the values; a row for each position
//   z        (T, C)     heads side by side, a row for each target that is made
//   patterns (H, T, T)  of one layer, packed as attention_pattern.wgsl wrote them
//
// mix_values_wide.wgsl for software adapters whose subgroups have 8 lanes or more: each lane loads the weights of one
// target, and they go to all lanes in registers. So each load is used for 16 or 32 products a lane.
//
// Dispatch: (ceil((T - prompt.first) / 32) H ceil(D / 64)). One workgroup makes 32 targets x 64 channels of a head, and a
// lane 8 channels of them.

enable subgroups;

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

const ROWS = 32u;
const COLUMNS = 16u;
const WORKGROUP = 1u; // tiles of a workgroup
const LANES = 8u;

@group(0) @binding(0) var qkv: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var z: texture_storage_2d<rgba32float, write>;
@group(1) @binding(0) var<uniform> prompt: Prompt;
@group(2) @binding(0) var<storage, read> patterns: array<vec4f>;

// A vec4 of each of 8 targets.
struct Rows { r0: vec4f, r1: vec4f, r2: vec4f, r3: vec4f, r4: vec4f, r5: vec4f, r6: vec4f, r7: vec4f }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let groups = (D4 + COLUMNS - 1u) / COLUMNS;
  let channel = group.x % groups * COLUMNS + lane; // of the head
  let head = group.x / groups % HEADS;
  let block = group.x / groups / HEADS;
  let first = prompt.first + block * ROWS;
  let last = min(first + ROWS, prompt.tokens) - 1u;

  var near0 = Rows();
  var near1 = Rows();
  var near2 = Rows();
  var near3 = Rows();
  var far0 = Rows();
  var far1 = Rows();
  var far2 = Rows();
  var far3 = Rows();
  for (var source = 0u; source <= last / 4u; source++) {
    let at = vec2u(2u * C4 + head * D4 + channel, prompt.slot + 4u * source);
    let a0 = weights(head, first + lane, source);
    let a1 = weights(head, first + 1u * LANES + lane, source);
    let a2 = weights(head, first + 2u * LANES + lane, source);
    let a3 = weights(head, first + 3u * LANES + lane, source);
    let near = values(at);
    add(&near0, a0, near);
    add(&near1, a1, near);
    add(&near2, a2, near);
    add(&near3, a3, near);
    // Decided when the kernel is compiled: a narrow head has no second half.
    if (D4 > LANES) {
      let far = values(at + vec2u(LANES, 0u));
      add(&far0, a0, far);
      add(&far1, a1, far);
      add(&far2, a2, far);
      add(&far3, a3, far);
    }
  }
  let row = prompt.row + block * ROWS;
  let c = head * D4 + channel;
  let count = last - first + 1u;
  if (channel < D4) {
    store(c, row, 0u * LANES, count, near0);
    store(c, row, 1u * LANES, count, near1);
    store(c, row, 2u * LANES, count, near2);
    store(c, row, 3u * LANES, count, near3);
  }
  if (channel + LANES < D4) {
    store(c + LANES, row, 0u * LANES, count, far0);
    store(c + LANES, row, 1u * LANES, count, far1);
    store(c + LANES, row, 2u * LANES, count, far2);
    store(c + LANES, row, 3u * LANES, count, far3);
  }
}

// What 8 targets take from four sources, each loaded by one lane.
fn weights(head: u32, i: u32, source: u32) -> Rows {
  let own = weight(head, i, source);
  return Rows(
    subgroupBroadcast(own, 0u), subgroupBroadcast(own, 1u),
    subgroupBroadcast(own, 2u), subgroupBroadcast(own, 3u),
    subgroupBroadcast(own, 4u), subgroupBroadcast(own, 5u),
    subgroupBroadcast(own, 6u), subgroupBroadcast(own, 7u),
  );
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
  (*sum).r0 = add_row((*sum).r0, a.r0, v);
  (*sum).r1 = add_row((*sum).r1, a.r1, v);
  (*sum).r2 = add_row((*sum).r2, a.r2, v);
  (*sum).r3 = add_row((*sum).r3, a.r3, v);
  (*sum).r4 = add_row((*sum).r4, a.r4, v);
  (*sum).r5 = add_row((*sum).r5, a.r5, v);
  (*sum).r6 = add_row((*sum).r6, a.r6, v);
  (*sum).r7 = add_row((*sum).r7, a.r7, v);
}

// sum + v a, a source at a time.
fn add_row(sum: vec4f, a: vec4f, v: mat4x4f) -> vec4f {
  return fma(v[3], a.wwww, fma(v[2], a.zzzz, fma(v[1], a.yyyy, fma(v[0], a.xxxx, sum))));
}

// Writes those of 8 rows that are among the tile's.
fn store(c: u32, row: u32, begin: u32, count: u32, sum: Rows) {
  if (begin + 0u < count) { textureStore(z, vec2u(c, row + begin + 0u), sum.r0); }
  if (begin + 1u < count) { textureStore(z, vec2u(c, row + begin + 1u), sum.r1); }
  if (begin + 2u < count) { textureStore(z, vec2u(c, row + begin + 2u), sum.r2); }
  if (begin + 3u < count) { textureStore(z, vec2u(c, row + begin + 3u), sum.r3); }
  if (begin + 4u < count) { textureStore(z, vec2u(c, row + begin + 4u), sum.r4); }
  if (begin + 5u < count) { textureStore(z, vec2u(c, row + begin + 5u), sum.r5); }
  if (begin + 6u < count) { textureStore(z, vec2u(c, row + begin + 6u), sum.r6); }
  if (begin + 7u < count) { textureStore(z, vec2u(c, row + begin + 7u), sum.r7); }
}

// Where row i of a packed triangle begins, in vec4s: rows 4g .. 4g+3 take g + 1 each.
fn row_start(i: u32) -> u32 {
  let g = i / 4u;
  return (2u * g + i % 4u) * (g + 1u);
}
