// edit_patterns: A[h, i, j] becomes 0, A[h, i, j] factor, S[h, i, j], or a score that no score is below
//
//   heads   (H)        1 for those that are changed
//   targets (T)        likewise
//   sources (T)        likewise, and zeros up to a whole vec4
//   s       (H, T, T)  what is put in its place, packed like patterns, edit.stride vec4s from one head to the next
//   patterns (H, T, T) scores or patterns of one layer, packed: see attention_pattern.wgsl
//
// Dispatch: (ceil(ceil(T / 4) / 8), T, H). One invocation makes four sources of one target and head. Nothing that a
// target does not see is changed, and a score that is blocked stays so when it is scaled.

struct Edit {
  action: u32,
  stride: u32, // of s
  factor: f32,
}
struct Prompt {
  tokens: u32, // T
  first: u32, // the first target that is made
  slot: u32,
  row: u32,
  stride: u32, // vec4s from one head's triangle to the next
}

const WORKGROUP = 8u;
const LOWEST = -3.0e38; // as in attention_pattern.wgsl
const ZERO = 0u;
const SCALE = 1u;
const BLOCK = 4u;

@group(0) @binding(0) var<uniform> edit: Edit;
@group(0) @binding(1) var<storage, read> heads: array<u32>;
@group(0) @binding(2) var<storage, read> targets: array<u32>;
@group(0) @binding(3) var<storage, read> sources: array<vec4u>;
@group(0) @binding(4) var<storage, read> s: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> patterns: array<vec4f>;
@group(1) @binding(0) var<uniform> prompt: Prompt;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let source = id.x;
  let i = id.y;
  let head = id.z;
  if (i < prompt.first || source > i / 4u || heads[head] == 0u || targets[i] == 0u) {
    return;
  }
  let at = head * prompt.stride + row_start(i) + source;
  let before = patterns[at];
  let is_changed = (sources[source] != vec4u()) & is_seen(i, source);
  var after = vec4f();
  switch edit.action {
    case ZERO: {}
    case SCALE: { after = select(before * edit.factor, before, before <= vec4f(LOWEST)); }
    case BLOCK: { after = vec4f(LOWEST); }
    default: { after = s[head * edit.stride + row_start(i) + source]; }
  }
  patterns[at] = select(before, after, is_changed);
}

// Which of a vec4 of sources the target sees: itself and what is before it.
fn is_seen(i: u32, source: u32) -> vec4<bool> {
  return source * 4u + vec4u(0u, 1u, 2u, 3u) <= vec4u(i);
}

// Where row i of a packed triangle begins, in vec4s: rows 4g .. 4g+3 take g + 1 each.
fn row_start(i: u32) -> u32 {
  let g = i / 4u;
  return (2u * g + i % 4u) * (g + 1u);
}
