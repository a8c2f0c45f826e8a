// patched_attention: z[r, h, d] = sum_{j <= i} A[h, i, j] v[j, h, d], A the softmax of q[i, h] . k[j, h] scale, for rows of
// many runs at once. A row is position i of a run; its queries, keys and values are those of its base run, but for what
// the run took from elsewhere: from its donor in the layer where it was patched, from its own rows above.
//
//   qkv  (R, 3C)  queries, keys and values of one layer, four channels a texel: rows of all runs
//   z    (R', C)  heads side by side
//   rows (R')     what to compute
//
// Dispatch: (R', H). One workgroup makes one head of one row: its lanes take every sixteenth source, then every sixteenth
// vec4 of channels. The weights of all sources are in workgroup memory, CONTEXT of them at most.

override C4: u32; // channels
override D4: u32; // channels of a head
override CONTEXT: u32; // the most tokens of a prompt

struct Layer {
  scale: f32, // 1 / sqrt(D), or what the model's config makes of it
}
// Position p of the base run is row base + p of qkv, and of the other run row other + p.
struct PatchedRow {
  position: u32, // i
  base: u32,
  other: u32,
  head: u32, // which head takes from the other run; ALL
  query: u32, // 1: the query is the other's
  first_key: u32, // keys of positions from here
  end_key: u32, // to here, without it, are the other's
  first_value: u32, // and values likewise
  end_value: u32,
  action: u32, // MIX, or what becomes of the head instead
  mean_from: u32, // the first position that MEAN counts
  end: u32, // the position after the last that MEAN counts
}

const ALL = 0xffffffffu;
const MIX = 0u;
const ZERO = 1u;
const MEAN = 2u; // the mean of z over positions mean_from .. end - 1 of the base run

const LANES = 16u;
const LOWEST = -3.0e38; // a score that no score is below

@group(0) @binding(0) var<uniform> layer: Layer;
@group(0) @binding(1) var qkv: texture_storage_2d<rgba32float, read>;
@group(0) @binding(2) var z: texture_storage_2d<rgba32float, write>;
@group(1) @binding(0) var<storage, read> rows: array<PatchedRow>;

var<workgroup> query: array<vec4f, D4>;
var<workgroup> weights: array<f32, CONTEXT>; // of each source
var<workgroup> exponents: array<f32, CONTEXT>;
var<workgroup> partial: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = rows[group.x];
  let head = group.y;
  let is_patched = row.head == ALL || row.head == head;
  let action = select(MIX, row.action, is_patched);
  var sources = row.position + 1u;
  if (action == MEAN) {
    // The mean of z is the mean row of the pattern times the values.
    sources = row.end;
    for (var j = lane; j < sources; j += LANES) {
      weights[j] = 0.0;
    }
    for (var i = row.mean_from; i < row.end; i++) {
      softmax(row, i, head, is_patched, lane);
      for (var j = lane; j <= i; j += LANES) {
        weights[j] += exponents[j] / f32(row.end - row.mean_from);
      }
    }
  } else if (action == MIX) {
    softmax(row, row.position, head, is_patched, lane);
    for (var j = lane; j < sources; j += LANES) {
      weights[j] = exponents[j];
    }
  } else {
    sources = 0u;
  }
  workgroupBarrier();
  for (var d = lane; d < D4; d += LANES) {
    var sum = vec4f();
    for (var j = 0u; j < sources; j++) {
      let is_other = is_patched && j >= row.first_value && j < row.end_value;
      let value = textureLoad(qkv, vec2u(2u * C4 + head * D4 + d, select(row.base, row.other, is_other) + j));
      sum += weights[j] * value;
    }
    textureStore(z, vec2u(head * D4 + d, group.x), sum);
  }
}

// Leaves the pattern's row i in `exponents`, each lane the sources that it takes.
fn softmax(row: PatchedRow, i: u32, head: u32, is_patched: bool, lane: u32) {
  let is_other_query = is_patched && row.query == 1u;
  let position = select(row.base, row.other, is_other_query) + i;
  workgroupBarrier(); // the query before has been read
  for (var d = lane; d < D4; d += LANES) {
    query[d] = textureLoad(qkv, vec2u(head * D4 + d, position));
  }
  workgroupBarrier();
  var largest = LOWEST;
  for (var j = lane; j <= i; j += LANES) {
    let is_other = is_patched && j >= row.first_key && j < row.end_key;
    let score = dot_product(head, select(row.base, row.other, is_other) + j) * layer.scale;
    exponents[j] = score;
    largest = max(largest, score);
  }
  largest = over_lanes(lane, largest, true);
  var sum = 0.0;
  for (var j = lane; j <= i; j += LANES) {
    let exponent = exp(exponents[j] - largest);
    exponents[j] = exponent;
    sum += exponent;
  }
  sum = over_lanes(lane, sum, false);
  for (var j = lane; j <= i; j += LANES) {
    exponents[j] /= sum;
  }
}

// The query times the key in a row of qkv.
fn dot_product(head: u32, key: u32) -> f32 {
  var sum = 0.0;
  for (var d = 0u; d < D4; d++) {
    sum += dot(query[d], textureLoad(qkv, vec2u(C4 + head * D4 + d, key)));
  }
  return sum;
}

// The largest of the lanes' numbers, or their sum.
fn over_lanes(lane: u32, value: f32, is_largest: bool) -> f32 {
  workgroupBarrier(); // the previous ones have been read
  partial[lane] = value;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      let other = partial[lane + half];
      partial[lane] = select(partial[lane] + other, max(partial[lane], other), is_largest);
    }
    workgroupBarrier();
  }
  return partial[0];
}
