// flow_cells: the flow of `flow` with neighbouring positions sharing cells:
//             W[m, t, s] = the mean over targets i of cell t of the sum over sources j of cell s of F[m, i, j]
//             dropped[m, t] = the mean over targets i of cell t of what BOS had, or 0 where BOS is kept
//
//   matrix  (L, T, T)  packed triangles: the mean over heads, or the rollout after each layer
//   mean    (L, T, T)  packed triangles: the mean over heads (to say what BOS had)
//   flows              W (M, K, K) at prompt.result, and dropped (M, K) at prompt.dropped; M is L by layer, 1 otherwise
//
//   F[m, i, j] = sum_l weight[l] matrix[l, i, j] / sum_k matrix[l, i, k], k over the kept sources
//
// prompt.aggregate is as in `flow`; all of them are weighted sums over layers. 0: each layer by itself. 1, MEAN: 1 / L.
// 2, NOTEBOOK: L^(l - L), l from 0. 3, LAST: the last layer's is 1, the others' 0.
// A cell is prompt.span neighbouring positions, the last one of fewer.
//
// Dispatch: (K, M). One workgroup makes one row of cells, target by target.

const BY_LAYER = 0u;
const MEAN = 1u;
const NOTEBOOK = 2u;

struct Prompt {
  tokens: u32, // T
  first: u32,
  slot: u32,
  row: u32,
  stride: u32, // vec4s from one triangle to the next
  kept: u32, // the first kept token: 1 leaves BOS out
  aggregate: u32,
  result: u32,
  layers: u32, // L
  heads: u32,
  triangles: u32,
  span: u32,
  dropped: u32,
}

const LANES = 32u;
const MOST_LAYERS = 256u;

@group(0) @binding(0) var<storage, read> matrix: array<f32>;
@group(0) @binding(1) var<storage, read> mean: array<f32>;
@group(0) @binding(2) var<storage, read_write> flows: array<f32>;
@group(1) @binding(0) var<uniform> prompt: Prompt;

var<workgroup> partial: array<f32, LANES>;
var<workgroup> factors: array<f32, MOST_LAYERS>; // of target i: the layer's weight over the sum of its row

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let cells = groups.x;
  let row_of_cells = group.y * cells + group.x;
  let out = prompt.result + row_of_cells * cells;
  let begin = prompt.kept + group.x * prompt.span;
  let end = min(begin + prompt.span, prompt.tokens);
  let targets = f32(end - begin);

  var first = 0u;
  var count = prompt.layers;
  if (prompt.aggregate == BY_LAYER) {
    first = group.y;
    count = 1u;
  } else if (prompt.aggregate > NOTEBOOK) {
    first = prompt.layers - 1u;
    count = 1u;
  }

  var dropped = 0.0;
  for (var i = begin; i < end; i++) {
    let row = 4u * row_start(i);
    for (var l = 0u; l < count; l++) {
      let at = triangle(first + l) + row;
      var sum = 0.0;
      for (var j = prompt.kept + lane; j <= i; j += LANES) {
        sum += matrix[at + j];
      }
      let total = sum_over_lanes(lane, sum);
      if (lane == 0u) {
        factors[l] = select(0.0, weight(l) / total, total > 0.0);
      }
    }
    workgroupBarrier();
    for (var cell = lane; cell <= group.x; cell += LANES) {
      let start = prompt.kept + cell * prompt.span;
      let last = min(start + prompt.span - 1u, i);
      var sum = 0.0;
      for (var l = 0u; l < count; l++) {
        let at = triangle(first + l) + row;
        var share = 0.0;
        for (var j = start; j <= last; j++) {
          share += matrix[at + j];
        }
        sum += factors[l] * share;
      }
      let before = select(flows[out + cell], 0.0, i == begin);
      flows[out + cell] = before + sum / targets;
    }
    if (lane == 0u) {
      dropped += bos_share(row, group.y);
    }
    workgroupBarrier(); // the factors have been read
  }
  for (var cell = group.x + 1u + lane; cell < cells; cell += LANES) {
    flows[out + cell] = 0.0;
  }
  if (lane == 0u) {
    flows[prompt.dropped + row_of_cells] = dropped / targets;
  }
}

// The weight of a layer in the one matrix that is made of all layers.
fn weight(l: u32) -> f32 {
  switch prompt.aggregate {
    case MEAN: { return 1.0 / f32(prompt.layers); }
    case NOTEBOOK: { return pow(f32(prompt.layers), f32(l) - f32(prompt.layers)); }
    default: { return 1.0; }
  }
}

fn bos_share(row: u32, layer: u32) -> f32 {
  if (prompt.kept == 0u) {
    return 0.0;
  }
  if (prompt.aggregate == BY_LAYER) {
    return mean[triangle(layer) + row];
  }
  var sum = 0.0;
  for (var l = 0u; l < prompt.layers; l++) {
    sum += mean[triangle(l) + row];
  }
  return sum / f32(prompt.layers);
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

// Where the triangle of a layer begins.
fn triangle(layer: u32) -> u32 {
  return 4u * layer * prompt.stride;
}

// Where row i of a packed triangle begins, in vec4s: rows 4g .. 4g+3 take g + 1 each.
fn row_start(i: u32) -> u32 {
  let g = i / 4u;
  return (2u * g + i % 4u) * (g + 1u);
}
