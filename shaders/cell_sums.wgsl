// cell_sums: sums[l, h, n] = sum of A[l, h, i, j] over the cells (i, j) of list n
//
//   cells    (list by list)  targets and sources
//   sums     (L, H, 3)
//   patterns (H, T, T)       of one layer, packed
//
// Dispatch, once for each layer: (H). One workgroup makes the sums of one head.

struct Lists {
  ends: vec4u, // where each list ends, the next one begins there
}
struct Prompt {
  tokens: u32,
  first: u32,
  slot: u32,
  row: u32,
  stride: u32, // vec4s from one triangle to the next
}
struct Layer {
  index: u32,
}

const LANES = 32u;
const LISTS = 3u;

@group(0) @binding(0) var<uniform> lists: Lists;
@group(0) @binding(1) var<storage, read> cells: array<vec2u>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
@group(1) @binding(0) var<uniform> prompt: Prompt;
@group(2) @binding(0) var<storage, read> patterns: array<f32>;
@group(3) @binding(0) var<uniform> layer: Layer;

var<workgroup> partial: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let triangle = 4u * group.x * prompt.stride;
  var begin = 0u;
  for (var list = 0u; list < LISTS; list++) {
    let end = lists.ends[list];
    var sum = 0.0;
    for (var at = begin + lane; at < end; at += LANES) {
      let cell = cells[at];
      sum += patterns[triangle + 4u * row_start(cell.x) + cell.y];
    }
    begin = end;
    let total = sum_over_lanes(lane, sum);
    if (lane == 0u) {
      sums[(layer.index * groups.x + group.x) * LISTS + list] = total;
    }
  }
}

fn sum_over_lanes(lane: u32, value: f32) -> f32 {
  workgroupBarrier(); // the previous sum has been read
  partial[lane] = value;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      partial[lane] += partial[lane + half];
    }
    workgroupBarrier();
  }
  return partial[0];
}

// Where row i of a packed triangle begins, in vec4s: rows 4g .. 4g+3 take g + 1 each.
fn row_start(i: u32) -> u32 {
  let g = i / 4u;
  return (2u * g + i % 4u) * (g + 1u);
}
