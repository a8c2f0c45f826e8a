// row_shares: matrix[l, i, j] /= sum_k matrix[l, i, k], in place
//
//   matrix (L, T, T)  packed triangles
//
// A row of nothing, which no model was seen to have, is the target's own.
//
// Dispatch: (T - prompt.first, L). One workgroup divides one row.

struct Prompt {
  tokens: u32, // T
  first: u32, // the first target that was made
  slot: u32,
  row: u32,
  stride: u32, // vec4s from one triangle to the next
}

const LANES = 32u;

@group(0) @binding(0) var<storage, read_write> matrix: array<f32>;
@group(1) @binding(0) var<uniform> prompt: Prompt;

var<workgroup> partial: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = prompt.first + group.x;
  let row = 4u * (group.y * prompt.stride + row_start(i));
  var sum = 0.0;
  for (var j = lane; j <= i; j += LANES) {
    sum += matrix[row + j];
  }
  let total = sum_over_lanes(lane, sum);
  for (var j = lane; j <= i; j += LANES) {
    matrix[row + j] = select(select(0.0, 1.0, j == i), matrix[row + j] / total, total > 0.0);
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
