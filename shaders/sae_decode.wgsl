// sae_decode: recon[i] = out(bias + sum over what is on at i of activation decoder[f]), and error[i] = y[i] - recon[i]
//
//   y         (T, m)   what is reconstructed: the model's activation at the hook
//   shift     (m)      taken off it, and its mean too where CENTRED: it is as the autoencoder sees it then
//   bias      (m)      b_dec
//   scales    (T, 4)   of which the second and third are what out() multiplies by and adds, by sae_input.wgsl
//   offsets   (T + 1)  where the features of each position begin in `listed`
//   listed    (N, 2)   feature, and activation in the bits of a word
//   decoder   (F, m)   or some of its rows
//   recon, error (T, m)  error holds sums until the last rows of the decoder
//
// Dispatch, once for each part of the decoder: (T). One workgroup makes a row.

override C4: u32; // m / 4
override CENTRED: bool;

struct SaeDecode {
  first: u32, // the decoder's first feature, and the one after its last
  end: u32,
  is_first: u32, // whether sums begin here, and end here
  is_last: u32,
}

const LANES = 64u;

@group(0) @binding(0) var y: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var<storage, read> shift: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read> scales: array<vec4f>;
@group(0) @binding(4) var<storage, read> offsets: array<u32>;
@group(0) @binding(5) var<storage, read> listed: array<vec2u>;
@group(0) @binding(6) var<storage, read_write> recon: array<vec4f>;
@group(0) @binding(7) var<storage, read_write> error: array<vec4f>;
@group(1) @binding(0) var<storage, read> decoder: array<vec4f>;
@group(2) @binding(0) var<uniform> part: SaeDecode;

var<workgroup> partial: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let i = group.x;
  var mean = 0.0;
  if (CENTRED) {
    var sum = vec4f();
    for (var c = lane; c < C4; c += LANES) {
      sum += textureLoad(y, vec2u(c, i));
    }
    mean = sum_over_lanes(lane, dot(sum, vec4f(1.0))) / f32(4u * C4);
  }
  for (var c = lane; c < C4; c += LANES) {
    let at = i * C4 + c;
    var sum = vec4f();
    if (part.is_first == 1u) {
      sum = bias[c];
    } else {
      sum = error[at];
    }
    for (var n = offsets[i]; n < offsets[i + 1u]; n++) {
      let feature = listed[n].x;
      if (feature >= part.first && feature < part.end) {
        sum += bitcast<f32>(listed[n].y) * decoder[(feature - part.first) * C4 + c];
      }
    }
    if (part.is_last == 1u) {
      let made = sum * scales[i].y + scales[i].z;
      recon[at] = made;
      error[at] = textureLoad(y, vec2u(c, i)) - shift[c] - mean - made;
    } else {
      error[at] = sum;
    }
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
