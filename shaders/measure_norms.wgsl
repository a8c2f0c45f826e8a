// measure_norms: how long what target i takes from source j is
//
//   gram     (T, VECTORS, VECTORS)  see head_gram.wgsl
//   patterns (H, T, T)              of one layer, packed
//   matrix   (T, T)                 of one layer, packed
//
//   KIND 0, heads apart:  sum_h A[h, i, j] |f[h, j]|
//   KIND 1, together:     |sum_h A[h, i, j] f[h, j]|              (Kobayashi et al. 2020)
//   KIND 2, and residual: |sum_h A[h, i, j] f[h, j] + [i = j] x[i]|  (Kobayashi et al. 2021, without the layer norm)
//
// Dispatch: (ceil(T / 32), T - prompt.first). One invocation makes one number.

override HEADS: u32;
override VECTORS: u32;
override KIND: u32;

const HEADS_APART = 0u;
const WITH_RESIDUAL = 2u;

struct Prompt {
  tokens: u32, // T
  first: u32, // the first target to make
  slot: u32,
  row: u32,
  stride: u32, // vec4s from one triangle to the next
}

const WORKGROUP = 32u;

@group(0) @binding(0) var<storage, read> gram: array<f32>;
@group(1) @binding(0) var<uniform> prompt: Prompt;
@group(2) @binding(0) var<storage, read> patterns: array<f32>;
@group(3) @binding(0) var<storage, read_write> matrix: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = prompt.first + id.y;
  let j = id.x;
  if (j >= 4u * (i / 4u + 1u)) {
    return;
  }
  let at = 4u * row_start(i) + j;
  var value = 0.0;
  if (j <= i) {
    value = measure(i, j, at);
  }
  matrix[at] = value;
}

fn measure(i: u32, j: u32, at: u32) -> f32 {
  let products = j * VECTORS * VECTORS;
  var sum = 0.0;
  for (var h = 0u; h < HEADS; h++) {
    let a = patterns[4u * h * prompt.stride + at];
    let row = products + h * VECTORS;
    if (KIND == HEADS_APART) {
      sum += a * sqrt(gram[row + h]);
      continue;
    }
    var others = 0.0;
    for (var g = 0u; g < h; g++) {
      others += patterns[4u * g * prompt.stride + at] * gram[row + g];
    }
    if (KIND == WITH_RESIDUAL && i == j) {
      others += gram[row + HEADS];
    }
    sum += a * (a * gram[row + h] + 2.0 * others);
  }
  if (KIND == HEADS_APART) {
    return sum;
  }
  if (KIND == WITH_RESIDUAL && i == j) {
    sum += gram[products + HEADS * VECTORS + HEADS];
  }
  return sqrt(max(sum, 0.0));
}

// Where row i of a packed triangle begins, in vec4s: rows 4g .. 4g+3 take g + 1 each.
fn row_start(i: u32) -> u32 {
  let g = i / 4u;
  return (2u * g + i % 4u) * (g + 1u);
}
