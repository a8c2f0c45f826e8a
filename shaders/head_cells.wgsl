// head_cells: W[n, t, s] = the mean over targets i of cell t of (the sum over sources j of cell s of A[n, i, j]) / rest[i]
//             dropped[n, t] = the mean over targets i of cell t of A[n, i, 0], or 0 where BOS is kept
//
//   patterns (L, H, T, T)  packed triangles of some layers
//   indices                of each chosen head n in these: where its triangle begins, in vec4s; the first one at
//                          prompt.triangles
//   flows                  W (N, R, K) at prompt.result, and dropped (N, R) at prompt.dropped
//
// R rows t are made: all K cells, or where prompt.targets is not 0, those that `indices` lists from prompt.targets - 1 on.
// A cell is prompt.span neighbouring positions, the last one of fewer. rest[i] is 1 where BOS is kept, so that a pattern
// comes out as the softmax left it; where it is left out, it is the sum of what is kept of the row. A row of which
// nothing is left is 0.
//
// Dispatch: (R, N), N the chosen heads that are bound. One workgroup makes one row of cells, 32 targets at a time.

struct Prompt {
  tokens: u32, // T
  first: u32,
  slot: u32,
  row: u32,
  stride: u32,
  kept: u32, // the first kept token: 1 leaves BOS out
  aggregate: u32,
  result: u32,
  layers: u32,
  heads: u32,
  triangles: u32,
  span: u32,
  dropped: u32,
  cells: u32, // K
  targets: u32,
}

const LANES = 32u;

@group(0) @binding(0) var<storage, read> patterns: array<f32>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read_write> flows: array<f32>;
@group(1) @binding(0) var<uniform> prompt: Prompt;

var<workgroup> partial: array<f32, LANES>;
var<workgroup> rests: array<f32, LANES>; // of as many targets as are taken together

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let cells = prompt.cells;
  var cell_row = group.x; // t
  if (prompt.targets > 0u) {
    cell_row = indices[prompt.targets - 1u + group.x];
  }
  let row_of_cells = group.y * groups.x + group.x;
  let out = prompt.result + row_of_cells * cells;
  let triangle = 4u * indices[prompt.triangles + group.y];
  let begin = prompt.kept + cell_row * prompt.span;
  let end = min(begin + prompt.span, prompt.tokens);
  let targets = f32(end - begin);

  var dropped = 0.0;
  for (var first = begin; first < end; first += LANES) {
    let last = min(first + LANES, end);
    if (prompt.kept > 0u) {
      for (var i = first; i < last; i++) {
        let row = triangle + 4u * row_start(i);
        var sum = 0.0;
        for (var j = prompt.kept + lane; j <= i; j += LANES) {
          sum += patterns[row + j];
        }
        let rest = sum_over_lanes(lane, sum);
        if (lane == 0u) {
          rests[i - first] = rest;
          dropped += patterns[row];
        }
      }
      workgroupBarrier();
    }
    for (var cell = lane; cell <= cell_row; cell += LANES) {
      var sum = 0.0;
      for (var i = first; i < last; i++) {
        sum += share(triangle + 4u * row_start(i), cell, i, i - first);
      }
      let before = select(flows[out + cell], 0.0, first == begin);
      flows[out + cell] = before + sum / targets;
    }
    workgroupBarrier(); // the rests have been read
  }
  for (var cell = cell_row + 1u + lane; cell < cells; cell += LANES) {
    flows[out + cell] = 0.0;
  }
  if (lane == 0u) {
    flows[prompt.dropped + row_of_cells] = dropped / targets;
  }
}

// What target i takes from a cell of sources.
fn share(row: u32, cell: u32, i: u32, index: u32) -> f32 {
  var sum = 0.0;
  let start = prompt.kept + cell * prompt.span;
  for (var j = start; j <= min(start + prompt.span - 1u, i); j++) {
    sum += patterns[row + j];
  }
  if (prompt.kept == 0u) {
    return sum;
  }
  let rest = rests[index];
  return select(0.0, sum / rest, rest > 0.0);
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
