// head_statistics: for every head, sums over the targets i = 1 .. T-1 of a prompt, added to those of other prompts
//
//   moments   q and q^2 for q = A[i, i-1]; A[i, 0]; A[i, i]; -sum_j A[i, j] ln A[i, j]; sum_j A[i, j] (i - j);
//             max_j A[i, j]; sum_p A[i, p+1] over earlier occurrences p of i's token, 1 <= p and p + 1 < i
//   top       1 where the largest weight (the first of them) is on BOS, on i - 1, on i
//   no BOS    sum_{j>=1} A[i, j]; sum_{j>=1} A[i, j] (i - j); max_{j>=1} A[i, j]
//   HeadVis   sum_j A[i, j] (i - j)^2; sum_p A[i, p+1] over all earlier p, of weights >= 0.01
//   distances A[i, i-d] for d = 0 .. 31, for sources from 1 on; and apart from those, A[d, 0]
//
//   patterns (H, T, T)        of some layers, packed triangles
//   earlier  (T)              of each prompt: the last occurrence of its token before, or -1; from prompt.row on
//   sums     (L, H, SLOTS)    of 64 bits each, low word first
//   tops     (N, L, H, TOP)   of each prompt, at prompt.slot: the largest A[i, j] with j >= 1; equal ones by target, then
//                             source; weight -1 where there are fewer
//
// Numbers are rounded to whole multiples of 2^-24 (weights) or of what the host says, and summed as whole numbers: so no
// sum depends on the order of prompts, on how they are split, or on what runs at the same time.
//
// Dispatch, for each prompt and each slab of layers: (H, layers). One workgroup reads one head, each row once.

struct Prompt {
  tokens: u32, // T
  first: u32,
  slot: u32, // which of the N prompts
  row: u32, // where it begins in `earlier`
  stride: u32, // vec4s from one triangle to the next
  kept: u32,
  aggregate: u32,
  result: u32, // the first layer that is bound
  layers: u32, // L
}
struct Cell {
  weight: f32,
  place: u32, // target * 2^16 + source
}

const LANES = 32u; // as many as there are distances
const SLOTS = 86u;
const TOP = 5u;

const SQUARES = 7u;
const TOP_IS_BOS = 14u;
const TOP_IS_PREVIOUS = 15u;
const TOP_IS_SELF = 16u;
const MASS_NO_BOS = 17u;
const DISTANCE_NO_BOS = 18u;
const TOP_NO_BOS = 19u;
const DISTANCE_SQUARED = 20u;
const HEADVIS_INDUCTION = 21u;
const BY_DISTANCE_NO_BOS = 22u;
const BOS_BY_DISTANCE = 54u;

const SHARE_SCALE = 16777216.0;
const HEADVIS_THRESHOLD = 0.01;
override ENTROPY_SCALE: f32;
override DISTANCE_SCALE: f32;
override SQUARED_SCALE: f32;

@group(0) @binding(0) var<storage, read> patterns: array<vec4f>;
@group(0) @binding(1) var<storage, read> earlier: array<i32>;
@group(0) @binding(2) var<storage, read_write> sums: array<atomic<u32>>;
@group(0) @binding(3) var<storage, read_write> tops: array<Cell>;
@group(1) @binding(0) var<uniform> prompt: Prompt;

var<workgroup> low: array<atomic<u32>, SLOTS>;
var<workgroup> high: array<atomic<u32>, SLOTS>;
var<workgroup> proposals: array<Cell, LANES>;
var<workgroup> winner: u32;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let triangle = (group.y * groups.x + group.x) * prompt.stride;
  let head = (prompt.result + group.y) * groups.x + group.x;
  var best: array<Cell, TOP>; // of this lane's targets, the largest first
  for (var k = 0u; k < TOP; k++) {
    best[k] = Cell(-1.0, 0u);
  }

  for (var i = 1u + lane; i < prompt.tokens; i += LANES) {
    let row = triangle + row_start(i);
    var entropy = 0.0;
    var distance = 0.0;
    var squared = 0.0;
    var largest = Cell(-1.0, 0u);
    var largest_no_bos = 0.0;
    var mass = 0.0;
    for (var v = 0u; v <= i / 4u; v++) {
      let weights = patterns[row + v];
      for (var k = 0u; k < 4u; k++) {
        let j = 4u * v + k;
        if (j > i) {
          break;
        }
        let a = weights[k];
        if (a > 0.0) {
          entropy -= a * log(a);
        }
        if (a > largest.weight) {
          largest = Cell(a, j);
        }
        if (j == 0u) {
          continue;
        }
        let d = f32(i - j);
        distance += a * d;
        squared += a * d * d;
        mass += a;
        largest_no_bos = max(largest_no_bos, a);
        if (a > best[TOP - 1u].weight) {
          var at = TOP - 1u;
          while (at > 0u && a > best[at - 1u].weight) {
            best[at] = best[at - 1u];
            at--;
          }
          best[at] = Cell(a, i * 65536u + j);
        }
      }
    }
    let bos = cell(row, 0u);
    add_moment(0u, whole(cell(row, i - 1u), SHARE_SCALE));
    add_moment(1u, whole(bos, SHARE_SCALE));
    add_moment(2u, whole(cell(row, i), SHARE_SCALE));
    add_moment(3u, whole(entropy, ENTROPY_SCALE));
    add_moment(4u, whole(distance + bos * f32(i), DISTANCE_SCALE));
    add_moment(5u, whole(largest.weight, SHARE_SCALE));
    add_induction(i, row);
    if (largest.place == 0u) {
      add(TOP_IS_BOS, 1u);
    }
    if (largest.place == i - 1u) {
      add(TOP_IS_PREVIOUS, 1u);
    }
    if (largest.place == i) {
      add(TOP_IS_SELF, 1u);
    }
    add(MASS_NO_BOS, whole(mass, SHARE_SCALE));
    add(DISTANCE_NO_BOS, whole(distance, DISTANCE_SCALE));
    add(TOP_NO_BOS, whole(largest_no_bos, SHARE_SCALE));
    add(DISTANCE_SQUARED, whole(squared + bos * f32(i) * f32(i), SQUARED_SCALE));
  }

  // Each lane takes a distance: rows lie in the cache still.
  let d = lane;
  for (var i = max(d, 1u); i < prompt.tokens; i++) {
    let a = whole(cell(triangle + row_start(i), i - d), SHARE_SCALE);
    add(select(BY_DISTANCE_NO_BOS, BOS_BY_DISTANCE, i == d) + d, a);
  }

  workgroupBarrier();
  for (var slot = lane; slot < SLOTS; slot += LANES) {
    let at = 2u * (head * SLOTS + slot);
    let low_word = atomicLoad(&low[slot]);
    let before = atomicAdd(&sums[at], low_word);
    let carry = select(0u, 1u, before + low_word < before);
    atomicAdd(&sums[at + 1u], atomicLoad(&high[slot]) + carry);
  }

  // The best of all lanes, one after the other.
  let heads = prompt.layers * groups.x;
  var taken = 0u;
  for (var rank = 0u; rank < TOP; rank++) {
    proposals[lane] = Cell(-1.0, 0u);
    if (taken < TOP) {
      proposals[lane] = best[taken];
    }
    workgroupBarrier();
    if (lane == 0u) {
      var chosen = 0u;
      for (var other = 1u; other < LANES; other++) {
        if (is_before(proposals[other], proposals[chosen])) {
          chosen = other;
        }
      }
      tops[(prompt.slot * heads + head) * TOP + rank] = proposals[chosen];
      winner = chosen;
    }
    workgroupBarrier();
    if (lane == winner) {
      taken++;
    }
  }
}

fn add_induction(i: u32, row: u32) {
  var ours = 0.0;
  var is_ours = false;
  var headvis = 0.0;
  var p = earlier[prompt.row + i];
  while (p >= 0) {
    let source = u32(p) + 1u;
    let a = cell(row, source);
    if (p >= 1 && source < i) {
      ours += a;
      is_ours = true;
    }
    if (a >= HEADVIS_THRESHOLD) {
      headvis += a;
    }
    p = earlier[prompt.row + u32(p)];
  }
  if (is_ours) {
    add_moment(6u, whole(ours, SHARE_SCALE));
  }
  add(HEADVIS_INDUCTION, whole(headvis, SHARE_SCALE));
}

fn cell(row: u32, j: u32) -> f32 {
  return patterns[row + j / 4u][j % 4u];
}

// The nearest whole number; the largest float32 below 2^32 at most.
fn whole(value: f32, scale: f32) -> u32 {
  return u32(min(round(max(value, 0.0) * scale), 4294967040.0));
}

fn add(slot: u32, value: u32) {
  let before = atomicAdd(&low[slot], value);
  if (before + value < before) {
    atomicAdd(&high[slot], 1u);
  }
}

// Adds a number up to 2^24, and its square.
fn add_moment(slot: u32, value: u32) {
  add(slot, value);
  let a = value >> 16u;
  let b = value & 0xffffu;
  let middle = 2u * a * b;
  add(SQUARES + slot, b * b);
  add(SQUARES + slot, middle << 16u);
  atomicAdd(&high[SQUARES + slot], a * a + (middle >> 16u));
}

fn is_before(a: Cell, b: Cell) -> bool {
  return a.weight > b.weight || (a.weight == b.weight && a.place < b.place);
}

// Where row i of a packed triangle begins, in vec4s: rows 4g .. 4g+3 take g + 1 each.
fn row_start(i: u32) -> u32 {
  let g = i / 4u;
  return (2u * g + i % 4u) * (g + 1u);
}
