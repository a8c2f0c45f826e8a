// mix_values_wide: z[i, h, d] = sum_{j <= i} A[h, i, j] v[j, h, d]
//
//   qkv      (T, 3C)    of which the last C channels are the values; a row for each position
//   z        (T, C)     heads side by side, a row for each target that is made
//   patterns (H, T, T)  of one layer, packed as attention_pattern.wgsl wrote them
//
// mix_values.wgsl for llvmpipe, Mesa's software adapter, where reading a pattern from its buffer is what costs: each
// number is read once and used for 64 channels, mostly the whole head. A GPU's registers would not hold the sums.
//
// Dispatch: (ceil(ceil((T - prompt.first) / 8) H ceil(D / 64) / 16)). One invocation makes 8 targets x 64 channels of a
// head.

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
const COLUMNS = 16u;
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
  var z4 = Rows();
  var z5 = Rows();
  var z6 = Rows();
  var z7 = Rows();
  var z8 = Rows();
  var z9 = Rows();
  var z10 = Rows();
  var z11 = Rows();
  var z12 = Rows();
  var z13 = Rows();
  var z14 = Rows();
  var z15 = Rows();
  for (var source = 0u; source <= last / 4u; source++) {
    let a = Rows(
      weight(head, first, source), weight(head, first + 1u, source),
      weight(head, first + 2u, source), weight(head, first + 3u, source),
      weight(head, first + 4u, source), weight(head, first + 5u, source),
      weight(head, first + 6u, source), weight(head, first + 7u, source),
    );
    let at = vec2u(2u * C4 + head * D4 + channel, prompt.slot + 4u * source);
    // Conditions on D4 are decided when the kernel is compiled: a narrow head takes no time for columns that it lacks.
    add(&z0, a, values(at));
    if (D4 > 1u) { add(&z1, a, values(at + vec2u(1u, 0u))); }
    if (D4 > 2u) { add(&z2, a, values(at + vec2u(2u, 0u))); }
    if (D4 > 3u) { add(&z3, a, values(at + vec2u(3u, 0u))); }
    if (D4 > 4u) { add(&z4, a, values(at + vec2u(4u, 0u))); }
    if (D4 > 5u) { add(&z5, a, values(at + vec2u(5u, 0u))); }
    if (D4 > 6u) { add(&z6, a, values(at + vec2u(6u, 0u))); }
    if (D4 > 7u) { add(&z7, a, values(at + vec2u(7u, 0u))); }
    if (D4 > 8u) { add(&z8, a, values(at + vec2u(8u, 0u))); }
    if (D4 > 9u) { add(&z9, a, values(at + vec2u(9u, 0u))); }
    if (D4 > 10u) { add(&z10, a, values(at + vec2u(10u, 0u))); }
    if (D4 > 11u) { add(&z11, a, values(at + vec2u(11u, 0u))); }
    if (D4 > 12u) { add(&z12, a, values(at + vec2u(12u, 0u))); }
    if (D4 > 13u) { add(&z13, a, values(at + vec2u(13u, 0u))); }
    if (D4 > 14u) { add(&z14, a, values(at + vec2u(14u, 0u))); }
    if (D4 > 15u) { add(&z15, a, values(at + vec2u(15u, 0u))); }
  }
  let row = prompt.row + block * ROWS;
  let c = head * D4 + channel;
  store(c, row, last - first, z0);
  if (channel + 1u < D4) { store(c + 1u, row, last - first, z1); }
  if (channel + 2u < D4) { store(c + 2u, row, last - first, z2); }
  if (channel + 3u < D4) { store(c + 3u, row, last - first, z3); }
  if (channel + 4u < D4) { store(c + 4u, row, last - first, z4); }
  if (channel + 5u < D4) { store(c + 5u, row, last - first, z5); }
  if (channel + 6u < D4) { store(c + 6u, row, last - first, z6); }
  if (channel + 7u < D4) { store(c + 7u, row, last - first, z7); }
  if (channel + 8u < D4) { store(c + 8u, row, last - first, z8); }
  if (channel + 9u < D4) { store(c + 9u, row, last - first, z9); }
  if (channel + 10u < D4) { store(c + 10u, row, last - first, z10); }
  if (channel + 11u < D4) { store(c + 11u, row, last - first, z11); }
  if (channel + 12u < D4) { store(c + 12u, row, last - first, z12); }
  if (channel + 13u < D4) { store(c + 13u, row, last - first, z13); }
  if (channel + 14u < D4) { store(c + 14u, row, last - first, z14); }
  if (channel + 15u < D4) { store(c + 15u, row, last - first, z15); }
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
