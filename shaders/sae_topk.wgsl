// sae_topk: the k largest sums of each position, as sae_encode.wgsl lists features
//
//   sums   (rows, F)      what features compete by, in the bits of words
//   found  (2)            how many were listed; it counts on where `listed` is full
//   listed (capacity, 3)  position, feature, and the activation in the bits of a word, in no order
//
// Of equal sums the lower feature goes first; what is not above 0 is not listed, though it counts among the k. The k-th
// largest is found digit by digit: sums as whole numbers of the same order, of which four histograms of 256 are made.
//
// Dispatch: (rows). One workgroup makes a row.

struct TopkPart {
  position: u32, // of the first row
  features: u32, // F
  k: u32,
  capacity: u32,
}

const LANES = 256u;

@group(0) @binding(0) var<storage, read> sums: array<u32>;
@group(0) @binding(1) var<storage, read_write> found: array<atomic<u32>>;
@group(0) @binding(2) var<storage, read_write> listed: array<u32>;
@group(1) @binding(0) var<uniform> part: TopkPart;

var<workgroup> histogram: array<atomic<u32>, 256>;
var<workgroup> chosen_digit: u32;
var<workgroup> left: u32;
var<workgroup> lowest: atomic<u32>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x * part.features;
  var prefix = 0u; // the digits of the k-th largest that are known
  var wanted = min(part.k, part.features); // which of those with the same digits it is, the largest being 1
  for (var digit = 0u; digit < 4u; digit++) {
    let shift = 24u - 8u * digit;
    atomicStore(&histogram[lane], 0u);
    workgroupBarrier();
    for (var f = lane; f < part.features; f += LANES) {
      let key = ordered(sums[row + f]);
      if (digit == 0u || (key >> (shift + 8u)) == prefix) {
        atomicAdd(&histogram[(key >> shift) & 255u], 1u);
      }
    }
    workgroupBarrier();
    if (lane == 0u) {
      var above = 0u;
      var d = 255u;
      while (d > 0u && above + atomicLoad(&histogram[d]) < wanted) {
        above += atomicLoad(&histogram[d]);
        d--;
      }
      chosen_digit = d;
      left = wanted - above;
    }
    workgroupBarrier();
    prefix = (prefix << 8u) | workgroupUniformLoad(&chosen_digit);
    wanted = workgroupUniformLoad(&left);
  }
  for (var f = lane; f < part.features; f += LANES) {
    if (ordered(sums[row + f]) > prefix) {
      list(group.x, f, sums[row + f]);
    }
  }
  // Those that are equal to the k-th, in their order: one, but where several are alike.
  var after = 0u;
  for (; wanted > 0u; wanted--) {
    if (lane == 0u) {
      atomicStore(&lowest, part.features);
    }
    workgroupBarrier();
    for (var f = after + lane; f < part.features; f += LANES) {
      if (ordered(sums[row + f]) == prefix) {
        atomicMin(&lowest, f);
        break;
      }
    }
    workgroupBarrier();
    if (lane == 0u) {
      left = atomicLoad(&lowest);
      list(group.x, left, sums[row + left]);
    }
    after = workgroupUniformLoad(&left) + 1u;
  }
}

// A float's bits as a number that is larger where the float is.
fn ordered(bits: u32) -> u32 {
  return select(bits | 0x80000000u, ~bits, (bits & 0x80000000u) != 0u);
}

fn list(row: u32, feature: u32, bits: u32) {
  if (bitcast<f32>(bits) <= 0.0) {
    return;
  }
  let at = atomicAdd(&found[0], 1u);
  if (at < part.capacity) {
    listed[3u * at] = part.position + row;
    listed[3u * at + 1u] = feature;
    listed[3u * at + 2u] = bits;
  }
}
