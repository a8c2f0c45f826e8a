// route_sums: matrix[i, j] = sum_h parts[h, i, j] + [i = j] residual_i, residual_i = max(FLOOR, |y_i|_1 - |y_i - x_i|_1)
//
//   x      (T, C)     the residual stream before the layer
//   y      (T, C)     the residual stream after its attention
//   parts  (H, T, T)  packed, see route_parts.wgsl
//   matrix (T, T)     packed, and not yet divided by the sums of rows
//
// Dispatch: (T - prompt.first). One workgroup makes one row.

override C4: u32;
override HEADS: u32;

struct Prompt {
  tokens: u32, // T
  first: u32, // the first target to make
  slot: u32,
  row: u32,
  stride: u32, // vec4s from one triangle to the next
}

const LANES = 32u;
const FLOOR = 1e-5;

@group(0) @binding(0) var x: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var y: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var<storage, read> parts: array<f32>;
@group(1) @binding(0) var<uniform> prompt: Prompt;
@group(2) @binding(0) var<storage, read_write> matrix: array<f32>;

var<workgroup> partial: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = prompt.first + group.x;
  var sum = vec4f();
  for (var c = lane; c < C4; c += LANES) {
    sum += nearness(textureLoad(x, vec2u(c, i)), textureLoad(y, vec2u(c, i)));
  }
  let residual = max(FLOOR, sum_over_lanes(lane, dot(sum, vec4f(1.0))));
  let row = 4u * row_start(i);
  for (var j = lane; j < 4u * (i / 4u + 1u); j += LANES) {
    var total = 0.0;
    for (var h = 0u; h < HEADS; h++) {
      total += parts[4u * h * prompt.stride + row + j];
    }
    matrix[row + j] = total + select(0.0, residual, j == i);
  }
}

// |y| - |y - z|, see measure_alti.wgsl
fn nearness(z: vec4f, y: vec4f) -> vec4f {
  let along = select(-z, z, y >= vec4f());
  return min(along, 2.0 * abs(y) - along);
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
