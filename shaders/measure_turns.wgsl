// measure_turns: matrix[i, j] = 1 - cos(angle between z[r] and y[i]), (i, j) = pairs[block.first + r]
// (value zeroing, Mohebbi et al. 2023): how much a layer's output turns when the source's values are nothing
//
//   pairs  (block by block)  targets and sources
//   z      (R, C)  the layer's output without the source
//   y      (T, C)  the layer's output
//   matrix (T, T)  of the layer, packed
//
// 1 - cos is |z / |z| - y / |y||^2 / 2: small angles come out of small differences, not of 1 minus almost 1.
//
// Dispatch: (R). One workgroup makes one number.

override C4: u32;

struct Block {
  first: u32, // the pair of row 0
}

const LANES = 32u;

@group(0) @binding(0) var<storage, read> pairs: array<vec2u>;
@group(0) @binding(1) var z: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var y: texture_storage_2d<rgba32float, read>;
@group(1) @binding(0) var<uniform> block: Block;
@group(2) @binding(0) var<storage, read_write> matrix: array<f32>;

var<workgroup> partial: array<vec2f, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let pair = pairs[block.first + group.x];
  var squares = vec2f();
  for (var c = lane; c < C4; c += LANES) {
    let a = textureLoad(z, vec2u(c, group.x));
    let b = textureLoad(y, vec2u(c, pair.x));
    squares += vec2f(dot(a, a), dot(b, b));
  }
  let scales = inverseSqrt(sum_over_lanes(lane, squares));
  var difference = vec4f();
  for (var c = lane; c < C4; c += LANES) {
    let turned = scales.x * textureLoad(z, vec2u(c, group.x)) - scales.y * textureLoad(y, vec2u(c, pair.x));
    difference += turned * turned;
  }
  let total = sum_over_lanes(lane, vec2f(dot(difference, vec4f(1.0)), 0.0)).x;
  if (lane == 0u) {
    matrix[4u * row_start(pair.x) + pair.y] = 0.5 * total;
  }
}

fn sum_over_lanes(lane: u32, value: vec2f) -> vec2f {
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
