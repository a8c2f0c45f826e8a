// sae_column: w[c] = encoder[c, f], less its mean over c where CENTRED; and b_f - bias . encoder[:, f]
//
//   encoder   (n, F)   or some of its columns, in the texture that sae_encode.wgsl reads
//   bias      (n)      what is taken off the input
//   decisions (F, 4)   of which the first is the feature's bias, b_f
//   w         (n + 4)  the column, then the constant of the feature's pre-activation, and three zeros
//
// With its mean subtracted, the column gives for an activation what the unchanged column gives for a centred one.
//
// Dispatch: (1)

override C4: u32; // n / 4
override CENTRED: bool;

struct SaeColumn {
  feature: u32,
  column: u32, // of the texture
  pitch: u32, // rows of the texture that a block takes
}

const COLUMNS = 32u; // vec4s of a block
const INPUTS = 12u; // vec4s of inputs to a row of the texture
const LANES = 64u;

@group(0) @binding(0) var encoder: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var<storage, read> bias: array<f32>;
@group(0) @binding(2) var<storage, read> decisions: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> w: array<f32>;
@group(1) @binding(0) var<uniform> column: SaeColumn;

var<workgroup> partial: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(local_invocation_index) lane: u32) {
  let channels = 4u * C4;
  var sum = 0.0;
  var along = 0.0;
  for (var c = lane; c < channels; c += LANES) {
    let v = weight(c);
    sum += v;
    along += v * bias[c];
  }
  let total = sum_over_lanes(lane, sum);
  let constant = decisions[column.feature].x - sum_over_lanes(lane, along);
  let mean = select(0.0, total / f32(channels), CENTRED);
  for (var c = lane; c < channels; c += LANES) {
    w[c] = weight(c) - mean;
  }
  if (lane < 4u) {
    w[channels + lane] = select(0.0, constant, lane == 0u);
  }
}

fn weight(c: u32) -> f32 {
  let block = column.column / (4u * COLUMNS) * column.pitch;
  let within = column.column % (4u * COLUMNS);
  let at = vec2u(c % (4u * INPUTS) * COLUMNS + within / 4u, block + c / (4u * INPUTS));
  return textureLoad(encoder, at)[within % 4u];
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
