// sae_encode: which features of an autoencoder are on at each position, and how much
//
//   u          (T, n)     what the autoencoder sees, by sae_input.wgsl
//   w          (n, F)     the encoder, or some of its columns, in blocks of 128 columns as linear_registers.wgsl has them
//   decisions  (F, 4)     bias, threshold, gain, level
//   found      (2)        how many were found; it counts on where `listed` is full
//   listed                lists: (capacity, 3), position, feature, and the activation in the bits of a word, in no
//                         order; dense: (rows, F), s + bias in the bits of words
//
// With s = u w, a feature is on where s + bias > threshold, and is max(s gain + level, 0) then: standard, jumprelu
// (Rajamanoharan et al. 2024b) and gated (2024a) autoencoders are all of this form. What is not on is written nowhere.
// For topk the sums are written out, and sae_topk.wgsl chooses among them.
//
// Dispatch: (ceil(rows / 16), ceil(columns / 128)): rows first, so that a block of the encoder, which is larger than any
// cache, is read from memory once for all of them. A workgroup makes 16 rows x 128 columns in registers, as
// linear_registers.wgsl does, or 4 rows where 8 or fewer are left.

override DENSE: bool;

struct EncodePart {
  rows: u32,
  row: u32, // of u, for the first
  position: u32, // of the first row
  inputs: u32, // n / 4
  pitch: u32, // rows of the texture that a block of w takes
  feature: u32, // the first column's
  end: u32, // the feature after the last column's
  features: u32, // F
  capacity: u32, // of `listed`, where it lists
}

const TALL = 16u; // rows of a tile
const COLUMNS = 32u; // vec4s of a block
const LANES = 8u;
const GROUPS = 4u; // of LANES columns of vec4s
const LOW = 4u; // rows of a low tile
const INPUTS = 12u; // vec4s of inputs to a row of the texture

@group(0) @binding(0) var u: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var<storage, read_write> found: array<atomic<u32>>;
@group(0) @binding(2) var<storage, read_write> listed: array<u32>;
@group(1) @binding(0) var w: texture_storage_2d<rgba32float, read>;
@group(1) @binding(1) var<storage, read> decisions: array<vec4f>;
@group(2) @binding(0) var<uniform> part: EncodePart;

// Where finished sums wait for their decision. A lane reads only what it wrote itself.
var<workgroup> sums: array<vec4f, TALL * GROUPS * LANES>;

// A vec4 of each of 16 or 4 rows. Named members, not arrays: those stay in registers everywhere.
struct Tall {
  r0: vec4f, r1: vec4f, r2: vec4f, r3: vec4f, r4: vec4f, r5: vec4f, r6: vec4f, r7: vec4f,
  r8: vec4f, r9: vec4f, r10: vec4f, r11: vec4f, r12: vec4f, r13: vec4f, r14: vec4f, r15: vec4f,
}
struct Low { r0: vec4f, r1: vec4f, r2: vec4f, r3: vec4f }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = tile.x * TALL;
  let block = tile.y * part.pitch;
  let column = tile.y * COLUMNS + lane;
  let rows = min(TALL, part.rows - row);
  if (rows > 2u * LOW) {
    tall_tile(row, block, lane);
    decide(row, rows, column, lane);
  } else {
    for (var r = 0u; r < rows; r += LOW) {
      low_tile(row + r, block, lane);
      decide(row + r, min(LOW, rows - r), column, lane);
    }
  }
}

fn tall_tile(row: u32, block: u32, lane: u32) {
  var group0 = Tall();
  var group1 = Tall();
  var group2 = Tall();
  var group3 = Tall();
  for (var k = 0u; k < part.inputs; k++) {
    let inputs = tall_inputs(k, row);
    let at = vec2u(k % INPUTS * 4u * COLUMNS + lane, block + k / INPUTS);
    add_tall(&group0, inputs, weights(at));
    add_tall(&group1, inputs, weights(at + vec2u(LANES, 0u)));
    add_tall(&group2, inputs, weights(at + vec2u(2u * LANES, 0u)));
    add_tall(&group3, inputs, weights(at + vec2u(3u * LANES, 0u)));
  }
  keep_tall(0u, lane, group0);
  keep_tall(1u, lane, group1);
  keep_tall(2u, lane, group2);
  keep_tall(3u, lane, group3);
}

fn low_tile(row: u32, block: u32, lane: u32) {
  var group0 = Low();
  var group1 = Low();
  var group2 = Low();
  var group3 = Low();
  for (var k = 0u; k < part.inputs; k++) {
    let inputs = Low(input(k, row), input(k, row + 1u), input(k, row + 2u), input(k, row + 3u));
    let at = vec2u(k % INPUTS * 4u * COLUMNS + lane, block + k / INPUTS);
    add_low(&group0, inputs, weights(at));
    add_low(&group1, inputs, weights(at + vec2u(LANES, 0u)));
    add_low(&group2, inputs, weights(at + vec2u(2u * LANES, 0u)));
    add_low(&group3, inputs, weights(at + vec2u(3u * LANES, 0u)));
  }
  keep_low(0u, lane, group0);
  keep_low(1u, lane, group1);
  keep_low(2u, lane, group2);
  keep_low(3u, lane, group3);
}

fn input(k: u32, row: u32) -> vec4f {
  return textureLoad(u, vec2u(k, part.row + row));
}

fn tall_inputs(k: u32, row: u32) -> Tall {
  return Tall(
    input(k, row), input(k, row + 1u), input(k, row + 2u), input(k, row + 3u),
    input(k, row + 4u), input(k, row + 5u), input(k, row + 6u), input(k, row + 7u),
    input(k, row + 8u), input(k, row + 9u), input(k, row + 10u), input(k, row + 11u),
    input(k, row + 12u), input(k, row + 13u), input(k, row + 14u), input(k, row + 15u),
  );
}

// The weights from four inputs (columns of the matrix) to four outputs.
fn weights(at: vec2u) -> mat4x4f {
  return mat4x4f(
    textureLoad(w, at),
    textureLoad(w, at + vec2u(COLUMNS, 0u)),
    textureLoad(w, at + vec2u(2u * COLUMNS, 0u)),
    textureLoad(w, at + vec2u(3u * COLUMNS, 0u)),
  );
}

fn add_tall(sum: ptr<function, Tall>, inputs: Tall, w: mat4x4f) {
  (*sum).r0 += w * inputs.r0;
  (*sum).r1 += w * inputs.r1;
  (*sum).r2 += w * inputs.r2;
  (*sum).r3 += w * inputs.r3;
  (*sum).r4 += w * inputs.r4;
  (*sum).r5 += w * inputs.r5;
  (*sum).r6 += w * inputs.r6;
  (*sum).r7 += w * inputs.r7;
  (*sum).r8 += w * inputs.r8;
  (*sum).r9 += w * inputs.r9;
  (*sum).r10 += w * inputs.r10;
  (*sum).r11 += w * inputs.r11;
  (*sum).r12 += w * inputs.r12;
  (*sum).r13 += w * inputs.r13;
  (*sum).r14 += w * inputs.r14;
  (*sum).r15 += w * inputs.r15;
}

fn add_low(sum: ptr<function, Low>, inputs: Low, w: mat4x4f) {
  (*sum).r0 += w * inputs.r0;
  (*sum).r1 += w * inputs.r1;
  (*sum).r2 += w * inputs.r2;
  (*sum).r3 += w * inputs.r3;
}

// Where the sum of a row and a group of columns waits.
fn slot(row: u32, group: u32, lane: u32) -> u32 {
  return (row * GROUPS + group) * LANES + lane;
}

fn keep_tall(group: u32, lane: u32, sum: Tall) {
  sums[slot(0u, group, lane)] = sum.r0;
  sums[slot(1u, group, lane)] = sum.r1;
  sums[slot(2u, group, lane)] = sum.r2;
  sums[slot(3u, group, lane)] = sum.r3;
  sums[slot(4u, group, lane)] = sum.r4;
  sums[slot(5u, group, lane)] = sum.r5;
  sums[slot(6u, group, lane)] = sum.r6;
  sums[slot(7u, group, lane)] = sum.r7;
  sums[slot(8u, group, lane)] = sum.r8;
  sums[slot(9u, group, lane)] = sum.r9;
  sums[slot(10u, group, lane)] = sum.r10;
  sums[slot(11u, group, lane)] = sum.r11;
  sums[slot(12u, group, lane)] = sum.r12;
  sums[slot(13u, group, lane)] = sum.r13;
  sums[slot(14u, group, lane)] = sum.r14;
  sums[slot(15u, group, lane)] = sum.r15;
}

fn keep_low(group: u32, lane: u32, sum: Low) {
  sums[slot(0u, group, lane)] = sum.r0;
  sums[slot(1u, group, lane)] = sum.r1;
  sums[slot(2u, group, lane)] = sum.r2;
  sums[slot(3u, group, lane)] = sum.r3;
}

fn decide(first: u32, rows: u32, column: u32, lane: u32) {
  for (var group = 0u; group < GROUPS; group++) {
    let feature = part.feature + 4u * (column + group * LANES);
    if (feature >= part.end) {
      continue;
    }
    // Of four features at once; a column for each of: bias, threshold, gain, level.
    let decision = transpose(mat4x4f(
      decisions[feature], decisions[feature + 1u], decisions[feature + 2u], decisions[feature + 3u],
    ));
    for (var row = 0u; row < rows; row++) {
      let s = sums[slot(row, group, lane)];
      let with_bias = s + decision[0];
      let is_on = with_bias > decision[1];
      if (!DENSE && !any(is_on)) {
        continue;
      }
      let activation = s * decision[2] + decision[3];
      for (var n = 0u; n < 4u && feature + n < part.end; n++) {
        if (DENSE) {
          listed[(first + row) * part.features + feature + n] = bitcast<u32>(with_bias[n]);
        } else if (is_on[n]) {
          list(first + row, feature + n, activation[n]);
        }
      }
    }
  }
}

fn list(row: u32, feature: u32, activation: f32) {
  if (activation <= 0.0) {
    return;
  }
  let at = atomicAdd(&found[0], 1u);
  if (at < part.capacity) {
    listed[3u * at] = part.position + row;
    listed[3u * at + 1u] = feature;
    listed[3u * at + 2u] = bitcast<u32>(activation);
  }
}
