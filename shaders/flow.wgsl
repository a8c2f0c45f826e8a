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

// Few lanes, because rows are short: more would only wait.
const LANES = 8u;
const MOST_LAYERS = 256u; // a layer's number is a byte in Arrow

@group(0) @binding(0) var<storage, read> matrix: array<vec4f>;
@group(0) @binding(1) var<storage, read> mean: array<f32>;
@group(0) @binding(2) var<storage, read_write> flows: array<f32>;
@group(1) @binding(0) var<uniform> prompt: Prompt;

var<workgroup> partial: array<array<f32, LANES>, LANES>; // of up to LANES layers
var<workgroup> totals: array<f32, MOST_LAYERS>;

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

  var first = 0u;
  var count = prompt.layers;
  if (prompt.aggregate == BY_LAYER) {
    first = group.y;
    count = 1u;
  } else if (prompt.aggregate > NOTEBOOK) {
    first = prompt.layers - 1u;
    count = 1u;
  }
  add_up(i, first, count, lane);
  // Each lane takes every LANES-th vec4 of sources, and puts together what the layers have there.
  for (var source = lane; source <= i / 4u; source += LANES) {
    var sum = vec4f();
    for (var l = 0u; l < count; l++) {
      sum = aggregate(sum, row(i, first + l, source) * totals[l]);
    }
    if (prompt.aggregate == MEAN) {
      sum /= f32(prompt.layers);
    }
    let at = out + 4u * source - prompt.kept;
    if (source > 0u || prompt.kept == 0u) {
      flows[at] = sum.x;
    }
    if (4u * source + 1u < prompt.tokens) { flows[at + 1u] = sum.y; }
    if (4u * source + 2u < prompt.tokens) { flows[at + 2u] = sum.z; }
    if (4u * source + 3u < prompt.tokens) { flows[at + 3u] = sum.w; }
  }
  for (var j = 4u * (i / 4u + 1u) - prompt.kept + lane; j < width; j += LANES) {
    flows[out + j] = 0.0;
  }
  if (lane == 0u) {
    flows[prompt.result + groups.y * width * width + target_row] = dropped(i, group.y);
  }
}

// Makes of `totals` what numbers of row i of each layer are to be multiplied by.
fn add_up(i: u32, first: u32, count: u32, lane: u32) {
  for (var begin = 0u; begin < count; begin += LANES) {
    let end = min(begin + LANES, count);
    for (var l = begin; l < end; l++) {
      var sum = 0.0;
      for (var source = lane; source <= i / 4u; source += LANES) {
        sum += dot(row(i, first + l, source), vec4f(1.0));
      }
      partial[l - begin][lane] = sum;
    }
    workgroupBarrier();
    if (begin + lane < end) {
      var total = 0.0;
      for (var k = 0u; k < min(LANES, i / 4u + 1u); k++) {
        total += partial[lane][k];
      }
      totals[begin + lane] = select(0.0, 1.0 / total, total > 0.0);
    }
    workgroupBarrier();
  }
}

// Four sources of row i of a layer, without what is not kept.
fn row(i: u32, layer: u32, source: u32) -> vec4f {
  let numbers = matrix[layer * prompt.stride + row_start(i) + source];
  return select(numbers, vec4f(0.0, numbers.yzw), source == 0u && prompt.kept > 0u);
}

fn aggregate(sofar: vec4f, value: vec4f) -> vec4f {
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

// Where row i of a packed triangle begins, in vec4s: rows 4g .. 4g+3 take g + 1 each.
fn row_start(i: u32) -> u32 {
  let g = i / 4u;
  return (2u * g + i % 4u) * (g + 1u);
}
