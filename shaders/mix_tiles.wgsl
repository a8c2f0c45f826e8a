// mix_tiles: z[i, h, d] = sum_{j <= i} A[h, i, j] v[j, h, d]
//
//   qkv      (T, 3C)    of which the last C channels are the values; a row for each position
//   z        (T, C)     heads side by side, a row for each target that is made
//   patterns (H, T, T)  of one layer, packed as attention_pattern.wgsl wrote them
//
// mix_values.wgsl for GPUs, where a number that is read from global memory has to be used by many.
//
// Dispatch: (ceil((T - prompt.first) / 16), H, ceil(D / 64)). One workgroup makes 16 targets x 64 channels of a head, in
// steps of 16 sources, each put into workgroup memory once by all invocations together. One invocation makes 4 targets x
// 4 channels.

override C4: u32; // channels
override D4: u32; // channels of a head

struct Prompt {
  tokens: u32, // T
  first: u32, // the first target to make
  slot: u32, // the row of position 0 in qkv
  row: u32, // the row of the first target in z
  stride: u32, // vec4s from one head's triangle to the next
}

const ROWS = 16u;
const TALL = 4u; // rows of an invocation
const COLUMNS = 16u; // vec4s of channels
const STEP = 4u; // vec4s of sources
const INVOCATIONS = 64u;

@group(0) @binding(0) var qkv: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var z: texture_storage_2d<rgba32float, write>;
@group(1) @binding(0) var<uniform> prompt: Prompt;
@group(2) @binding(0) var<storage, read> patterns: array<vec4f>;

var<workgroup> weights: array<vec4f, ROWS * STEP>;
var<workgroup> values: array<vec4f, 4u * STEP * COLUMNS>;

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let first = prompt.first + group.x * ROWS;
  let head = group.y;
  let last = min(first + ROWS, prompt.tokens) - 1u;
  let row = index / COLUMNS * TALL;
  let column = index % COLUMNS;
  let channel = group.z * COLUMNS + column; // of the head
  var z0 = vec4f();
  var z1 = vec4f();
  var z2 = vec4f();
  var z3 = vec4f();
  for (var source = 0u; source <= last / 4u; source += STEP) {
    workgroupBarrier(); // the step before has been read
    weights[index] = weight(head, first + index / STEP, source + index % STEP);
    for (var at = index; at < 4u * STEP * COLUMNS; at += INVOCATIONS) {
      values[at] = value(head, 4u * source + at / COLUMNS, channel);
    }
    workgroupBarrier();
    for (var s = 0u; s < STEP; s++) {
      let at = 4u * s * COLUMNS + column;
      let v = mat4x4f(values[at], values[at + COLUMNS], values[at + 2u * COLUMNS], values[at + 3u * COLUMNS]);
      z0 = add_row(z0, weights[row * STEP + s], v);
      z1 = add_row(z1, weights[(row + 1u) * STEP + s], v);
      z2 = add_row(z2, weights[(row + 2u) * STEP + s], v);
      z3 = add_row(z3, weights[(row + 3u) * STEP + s], v);
    }
  }
  if (channel >= D4) {
    return;
  }
  let c = head * D4 + channel;
  let to = prompt.row + group.x * ROWS + row;
  if (first + row <= last) { textureStore(z, vec2u(c, to), z0); }
  if (first + row + 1u <= last) { textureStore(z, vec2u(c, to + 1u), z1); }
  if (first + row + 2u <= last) { textureStore(z, vec2u(c, to + 2u), z2); }
  if (first + row + 3u <= last) { textureStore(z, vec2u(c, to + 3u), z3); }
}

// What a target takes from four sources; nothing from those that come after it.
fn weight(head: u32, i: u32, source: u32) -> vec4f {
  let is_seen = i < prompt.tokens && source <= i / 4u;
  let at = head * prompt.stride + row_start(i) + source;
  return select(vec4f(), patterns[select(0u, at, is_seen)], is_seen);
}

// Four channels of a source; nothing where the prompt or the head has ended.
fn value(head: u32, j: u32, channel: u32) -> vec4f {
  if (j >= prompt.tokens || channel >= D4) {
    return vec4f();
  }
  return textureLoad(qkv, vec2u(2u * C4 + head * D4 + channel, prompt.slot + j));
}

// sum + v a, a source at a time.
fn add_row(sum: vec4f, a: vec4f, v: mat4x4f) -> vec4f {
  return fma(v[3], a.wwww, fma(v[2], a.zzzz, fma(v[1], a.yyyy, fma(v[0], a.xxxx, sum))));
}

// Where row i of a packed triangle begins, in vec4s: rows 4g .. 4g+3 take g + 1 each.
fn row_start(i: u32) -> u32 {
  let g = i / 4u;
  return (2u * g + i % 4u) * (g + 1u);
}
