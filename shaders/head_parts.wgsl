// head_parts: parts[l, h, n] = (sum_j A[h, T-1, j] f[h, j]) . directions[n], and for h = H: b_O . directions[n]
//
//   directions (2, C)     directions of the residual stream
//   qkv        (T, 3C)    of one layer, of which the last C channels are the values
//   w          (C, C)     the attention's output matrix, a row for each channel of the heads
//   b          (C)        its bias, b_O
//   parts      (L, H + 1, 2)
//   patterns   (H, T, T)  of the layer, packed
//
// Only the last position is looked at: a head's output there is its mixed values times its rows of w.
//
// Dispatch, once for each layer: (H + 1). One workgroup makes the parts of one head.

override C4: u32; // channels
override D4: u32; // channels of a head
override HEADS: u32;

struct Prompt {
  tokens: u32, // T
  first: u32,
  slot: u32, // the row of position 0 in qkv
  row: u32,
  stride: u32, // vec4s from one triangle to the next
}
struct Layer {
  index: u32,
}

const LANES = 16u;

@group(0) @binding(0) var<storage, read> directions: array<vec4f>;
@group(0) @binding(1) var qkv: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var w: texture_storage_2d<rgba32float, read>;
@group(0) @binding(3) var<storage, read> b: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> parts: array<vec2f>;
@group(1) @binding(0) var<uniform> prompt: Prompt;
@group(2) @binding(0) var<storage, read> patterns: array<f32>;
@group(3) @binding(0) var<uniform> layer: Layer;

var<workgroup> partial: array<vec2f, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let head = group.x;
  var sum = vec2f();
  if (head == HEADS) {
    for (var c = lane; c < C4; c += LANES) {
      sum += vec2f(dot(b[c], directions[c]), dot(b[c], directions[C4 + c]));
    }
  } else {
    for (var d = lane; d < D4; d += LANES) {
      let z = mixed(head, head * D4 + d);
      for (var n = 0u; n < 4u; n++) {
        sum += z[n] * along(4u * (head * D4 + d) + n);
      }
    }
  }
  partial[lane] = sum;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      partial[lane] += partial[lane + half];
    }
    workgroupBarrier();
  }
  if (lane == 0u) {
    parts[layer.index * (HEADS + 1u) + head] = partial[0];
  }
}

// Four channels of what the head mixes for the last position.
fn mixed(head: u32, channel: u32) -> vec4f {
  let last = prompt.tokens - 1u;
  let row = 4u * (head * prompt.stride + row_start(last));
  var sum = vec4f();
  for (var j = 0u; j <= last; j++) {
    sum += patterns[row + j] * textureLoad(qkv, vec2u(2u * C4 + channel, prompt.slot + j));
  }
  return sum;
}

// A row of w along the two directions.
fn along(row: u32) -> vec2f {
  var sums = mat2x4f();
  for (var c = 0u; c < C4; c++) {
    let weights = textureLoad(w, vec2u(c, row));
    sums[0] += weights * directions[c];
    sums[1] += weights * directions[C4 + c];
  }
  return vec2f(dot(sums[0], vec4f(1.0)), dot(sums[1], vec4f(1.0)));
}

// Where row i of a packed triangle begins, in vec4s: rows 4g .. 4g+3 take g + 1 each.
fn row_start(i: u32) -> u32 {
  let g = i / 4u;
  return (2u * g + i % 4u) * (g + 1u);
}
