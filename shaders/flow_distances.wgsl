// flow_distances: for every layer and every distance d = 0 .. 31, the sum over the targets i of F[i, i-d], i - d >= 1,
//                 added to those of other prompts; F[i, j] = mean[i, j] / sum_{k>=1} mean[i, k], 0 where nothing is left
//
//   mean (L, T, T)    packed triangles: the mean over heads
//   sums (L, REACH)   of 64 bits each, low word first: whole multiples of 2^-24
//
// Dispatch, for each prompt: (L). One workgroup sums one layer, 32 targets at a time.

struct Prompt {
  tokens: u32, // T
  first: u32,
  slot: u32,
  row: u32,
  stride: u32, // vec4s from one triangle to the next
}

const LANES = 32u; // as many as there are distances
const SHARE_SCALE = 16777216.0;

@group(0) @binding(0) var<storage, read> mean: array<f32>;
@group(0) @binding(1) var<storage, read_write> sums: array<atomic<u32>>;
@group(1) @binding(0) var<uniform> prompt: Prompt;

var<workgroup> rests: array<f32, LANES>; // of as many targets as are taken together

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let triangle = group.x * prompt.stride;
  var low = 0u;
  var high = 0u;
  for (var first = 1u; first < prompt.tokens; first += LANES) {
    let i = first + lane;
    var rest = 0.0;
    if (i < prompt.tokens) {
      let row = 4u * (triangle + row_start(i));
      for (var j = 1u; j <= i; j++) {
        rest += mean[row + j];
      }
    }
    rests[lane] = rest;
    workgroupBarrier();
    let d = lane;
    let last = min(first + LANES, prompt.tokens);
    for (var t = max(first, d + 1u); t < last; t++) {
      let left = rests[t - first];
      if (left > 0.0) {
        let share = mean[4u * (triangle + row_start(t)) + t - d] / left;
        let value = u32(round(share * SHARE_SCALE));
        low += value;
        high += select(0u, 1u, low < value);
      }
    }
    workgroupBarrier(); // the rests have been read
  }
  let at = 2u * (group.x * LANES + lane);
  let before = atomicAdd(&sums[at], low);
  atomicAdd(&sums[at + 1u], high + select(0u, 1u, before + low < before));
}

// Where row i of a packed triangle begins, in vec4s: rows 4g .. 4g+3 take g + 1 each.
fn row_start(i: u32) -> u32 {
  let g = i / 4u;
  return (2u * g + i % 4u) * (g + 1u);
}
