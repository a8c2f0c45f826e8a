// flow: what each target takes from each source, rows divided by their sums, BOS kept or left out
//
//   matrix  (L, T, T)  packed triangles: the mean over heads, or the rollout after each layer
//   mean    (L, T, T)  packed triangles: the mean over heads (to say what BOS had)
//   flows   (L, P, P) by layer, (P, P) for all layers; then dropped, (L, P) or (P)
//
//   F[l, i, j]    = matrix[l, i, j] / sum_k matrix[l, i, k], k over the kept sources; P = T - prompt.kept;
//                   0 where nothing is left of a row, which happens where few heads are chosen
//   dropped[l, i] = mean[l, i, 0], or 0 where BOS is kept
//
// prompt.aggregate 0: every layer by itself. 1, MEAN: the mean of F over the layers. 2, NOTEBOOK: x = (x + F[l]) / L
// for each l in turn, as the notebook's code has it. 3, LAST: F of the last layer (ROLLOUT of all layers).
// dropped of one matrix for all layers is the mean over them.
//
// Dispatch: (P, L) by layer, (P) otherwise. One workgroup makes one row.

const BY_LAYER = 0u;
const MEAN = 1u;
const NOTEBOOK = 2u;

struct Prompt {
  tokens: u32, // T
  first: u32, // the first target that was made
  slot: u32,
  row: u32,
  stride: u32, // vec4s from one triangle to the next
  kept: u32, // the first kept token: 1 leaves BOS out
  aggregate: u32,
  result: u32, // where the flow goes in the buffer of results
  layers: u32, // L
}

const LANES = 32u;

@group(0) @binding(0) var<storage, read> matrix: array<f32>;
@group(0) @binding(1) var<storage, read> mean: array<f32>;
@group(0) @binding(2) var<storage, read_write> flows: array<f32>;
@group(1) @binding(0) var<uniform> prompt: Prompt;

var<workgroup> partial: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let width = prompt.tokens - prompt.kept;
  let target_row = group.y * width + group.x;
  let i = group.x + prompt.kept;
  let out = prompt.result + target_row * width;

  var begin = 0u;
  var end = prompt.layers;
  if (prompt.aggregate == BY_LAYER) {
    begin = group.y;
    end = group.y + 1u;
  } else if (prompt.aggregate > NOTEBOOK) {
    begin = prompt.layers - 1u;
  }
  for (var j = lane; j < width; j += LANES) {
    flows[out + j] = 0.0;
  }
  for (var l = begin; l < end; l++) {
    let row = 4u * (l * prompt.stride + row_start(i));
    var sum = 0.0;
    for (var j = prompt.kept + lane; j <= i; j += LANES) {
      sum += matrix[row + j];
    }
    let total = sum_over_lanes(lane, sum);
    for (var j = prompt.kept + lane; j <= i; j += LANES) {
      let at = out + j - prompt.kept;
      flows[at] = aggregate(flows[at], select(0.0, matrix[row + j] / total, total > 0.0));
    }
  }
  if (prompt.aggregate == MEAN) {
    for (var j = lane; j < width; j += LANES) {
      flows[out + j] /= f32(prompt.layers);
    }
  }
  if (lane == 0u) {
    flows[prompt.result + groups.y * width * width + target_row] = dropped(i, group.y);
  }
}

fn aggregate(sofar: f32, value: f32) -> f32 {
  switch prompt.aggregate {
    case MEAN: { return sofar + value; }
    case NOTEBOOK: { return (sofar + value) / f32(prompt.layers); }
    default: { return value; }
  }
}

fn dropped(i: u32, layer: u32) -> f32 {
  if (prompt.kept == 0u) {
    return 0.0;
  }
  if (prompt.aggregate == BY_LAYER) {
    return mean[4u * (layer * prompt.stride + row_start(i))];
  }
  var sum = 0.0;
  for (var l = 0u; l < prompt.layers; l++) {
    sum += mean[4u * (l * prompt.stride + row_start(i))];
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

// Where row i of a packed triangle begins, in vec4s: rows 4g .. 4g+3 take g + 1 each.
fn row_start(i: u32) -> u32 {
  let g = i / 4u;
  return (2u * g + i % 4u) * (g + 1u);
}
