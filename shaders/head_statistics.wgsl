// head_statistics: for every head, sums over the targets i = 1 .. T-1 of a prompt, added to those of other prompts
//
//   moments   q and q^2 for q = A[i, i-1]; A[i, 0]; A[i, i]; -sum_j A[i, j] ln A[i, j]; sum_j A[i, j] (i - j);
//             max_j A[i, j]; sum_p A[i, p+1] over earlier occurrences p of i's token, 1 <= p and p + 1 < i
//   top       1 where the largest weight (the first of them) is on BOS, on i - 1, on i
//   no BOS    sum_{j>=1} A[i, j]; sum_{j>=1} A[i, j] (i - j); max_{j>=1} A[i, j]
//   HeadVis   sum_j A[i, j] (i - j)^2; sum_p A[i, p+1] over all earlier p, of weights >= 0.01
//   distances A[i, i-d] for d = 0 .. 31, for sources from 1 on; and apart from those, A[d, 0]
//
//   patterns (H, T, T)        of some layers, packed triangles; `cells` are the same, number by number
//   earlier  (T)              of each prompt: the last occurrence of its token before, or -1; from prompt.row on
//   totals   (L, H, SLOTS)    of 64 bits each, low word first
//   tops     (N, L, H, TOP)   of each prompt, at prompt.slot: the largest A[i, j] with j >= 1; equal ones by target, then
//                             source; weight -1 where there are fewer
//
// Numbers are rounded to whole multiples of 2^-24 (weights) or of a unit that the host sets, and summed as whole numbers,
// so that no sum depends on the order of prompts, on how they are split, or on what runs at the same time.
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

// What is summed over the sources of a target; distances, and what says so, without BOS.
struct Row {
  entropy: f32,
  distance: f32,
  squared: f32,
  mass: f32,
  largest_no_bos: f32,
  largest: Cell,
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
const BY_TARGET = 22u; // the slots before those by distance

const SHARE_SCALE = 16777216.0;
const HEADVIS_THRESHOLD = 0.01;
override ENTROPY_SCALE: f32;
override DISTANCE_SCALE: f32;
override SQUARED_SCALE: f32;

@group(0) @binding(0) var<storage, read> patterns: array<vec4f>;
@group(0) @binding(1) var<storage, read> cells: array<f32>;
@group(0) @binding(2) var<storage, read> earlier: array<i32>;
@group(0) @binding(3) var<storage, read_write> totals: array<atomic<u32>>;
@group(0) @binding(4) var<storage, read_write> tops: array<Cell>;
@group(1) @binding(0) var<uniform> prompt: Prompt;

// The sums of this lane's targets, and its largest weights, the largest first. Each index is known when it is compiled,
// so that they are in registers.
var<private> low: array<u32, BY_TARGET>;
var<private> high: array<u32, BY_TARGET>;
var<private> best: array<Cell, TOP>;

var<workgroup> lows: array<array<u32, LANES>, BY_TARGET>;
var<workgroup> highs: array<array<u32, LANES>, BY_TARGET>;
var<workgroup> lists: array<array<Cell, TOP>, LANES>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let triangle = (group.y * groups.x + group.x) * prompt.stride;
  let head = (prompt.result + group.y) * groups.x + group.x;
  for (var k = 0u; k < TOP; k++) {
    best[k] = Cell(-1.0, 0u);
  }

  for (var i = 1u + lane; i < prompt.tokens; i += LANES) {
    let row = triangle + row_start(i);
    var sums = Row(0.0, 0.0, 0.0, 0.0, 0.0, Cell(-1.0, 0u));
    for (var v = 0u; v <= i / 4u; v++) {
      let weights = patterns[row + v];
      take(&sums, weights.x, i, 4u * v);
      take(&sums, weights.y, i, 4u * v + 1u);
      take(&sums, weights.z, i, 4u * v + 2u);
      take(&sums, weights.w, i, 4u * v + 3u);
    }
    let bos = cell(row, 0u);
    add_moment(0u, whole(cell(row, i - 1u), SHARE_SCALE));
    add_moment(1u, whole(bos, SHARE_SCALE));
    add_moment(2u, whole(cell(row, i), SHARE_SCALE));
    add_moment(3u, whole(sums.entropy, ENTROPY_SCALE));
    add_moment(4u, whole(sums.distance + bos * f32(i), DISTANCE_SCALE));
    add_moment(5u, whole(sums.largest.weight, SHARE_SCALE));
    add_induction(i, row);
    if (sums.largest.place == 0u) {
      add(TOP_IS_BOS, 1u);
    }
    if (sums.largest.place == i - 1u) {
      add(TOP_IS_PREVIOUS, 1u);
    }
    if (sums.largest.place == i) {
      add(TOP_IS_SELF, 1u);
    }
    add(MASS_NO_BOS, whole(sums.mass, SHARE_SCALE));
    add(DISTANCE_NO_BOS, whole(sums.distance, DISTANCE_SCALE));
    add(TOP_NO_BOS, whole(sums.largest_no_bos, SHARE_SCALE));
    add(DISTANCE_SQUARED, whole(sums.squared + bos * f32(i) * f32(i), SQUARED_SCALE));
  }

  for (var slot = 0u; slot < BY_TARGET; slot++) {
    lows[slot][lane] = low[slot];
    highs[slot][lane] = high[slot];
  }
  workgroupBarrier();
  // Each lane takes a slot, and then a distance: rows lie in the cache still.
  let first = head * SLOTS;
  if (lane < BY_TARGET) {
    var sum = vec2u(0u, 0u);
    for (var other = 0u; other < LANES; other++) {
      sum = plus(sum, lows[lane][other]);
      sum.y += highs[lane][other];
    }
    add_to_all(first + lane, sum);
  }
  let d = lane;
  var by_distance = vec2u(0u, 0u);
  for (var i = d + 1u; i < prompt.tokens; i++) {
    by_distance = plus(by_distance, whole(cell(triangle + row_start(i), i - d), SHARE_SCALE));
  }
  add_to_all(first + BY_DISTANCE_NO_BOS + d, by_distance);
  if (d > 0u && d < prompt.tokens) {
    let bos = whole(cell(triangle + row_start(d), 0u), SHARE_SCALE);
    add_to_all(first + BOS_BY_DISTANCE + d, vec2u(bos, 0u));
  }

  // The largest of all lanes: two sorted lists become one, in half as many lanes each time.
  for (var k = 0u; k < TOP; k++) {
    lists[lane][k] = best[k];
  }
  for (var others = LANES / 2u; others > 0u; others /= 2u) {
    workgroupBarrier();
    if (lane < others) {
      merge(lane, lane + others);
    }
  }
  workgroupBarrier();
  if (lane < TOP) {
    tops[(prompt.slot * prompt.layers * groups.x + head) * TOP + lane] = lists[0][lane];
  }
}

// Takes the largest of two lists into the first.
fn merge(a: u32, b: u32) {
  var at = 0u;
  var next = 0u;
  for (var k = 0u; k < TOP; k++) {
    let one = lists[a][at];
    let other = lists[b][next];
    let is_one = !is_before(other, one);
    best[k].weight = select(other.weight, one.weight, is_one);
    best[k].place = select(other.place, one.place, is_one);
    at += select(0u, 1u, is_one);
    next += select(1u, 0u, is_one);
  }
  for (var k = 0u; k < TOP; k++) {
    lists[a][k] = best[k];
  }
}

// Takes a weight of target i into the sums of its row, without branches: weights after the last source are 0.
fn take(sums: ptr<function, Row>, a: f32, i: u32, j: u32) {
  let is_source = j > 0u && j <= i;
  let d = f32(i) - f32(j);
  let unlike_bos = select(0.0, a, is_source);
  (*sums).entropy -= a * log(select(1.0, a, a > 0.0));
  (*sums).distance += unlike_bos * d;
  (*sums).squared += unlike_bos * d * d;
  (*sums).mass += unlike_bos;
  (*sums).largest_no_bos = max((*sums).largest_no_bos, unlike_bos);
  let is_largest = a > (*sums).largest.weight;
  (*sums).largest.weight = select((*sums).largest.weight, a, is_largest);
  (*sums).largest.place = select((*sums).largest.place, j, is_largest);
  if (is_source && a > best[TOP - 1u].weight) {
    keep(Cell(a, i * 65536u + j));
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
  return cells[4u * row + j];
}

// The nearest whole number; the largest float32 below 2^32 at most.
fn whole(value: f32, scale: f32) -> u32 {
  return u32(min(round(max(value, 0.0) * scale), 4294967040.0));
}

// Adds to a number below 2^64, low word first.
fn plus(a: vec2u, b: u32) -> vec2u {
  let low = a.x + b;
  return vec2u(low, a.y + select(0u, 1u, low < b));
}

// Adds to the sums of all prompts.
fn add_to_all(slot: u32, value: vec2u) {
  let before = atomicAdd(&totals[2u * slot], value.x);
  let carry = select(0u, 1u, before + value.x < before);
  atomicAdd(&totals[2u * slot + 1u], value.y + carry);
}

// Adds to the sums of this lane.
fn add(slot: u32, value: u32) {
  let sum = plus(vec2u(low[slot], high[slot]), value);
  low[slot] = sum.x;
  high[slot] = sum.y;
}

// Adds a number up to 2^24, and its square.
fn add_moment(slot: u32, value: u32) {
  add(slot, value);
  let a = value >> 16u;
  let b = value & 0xffffu;
  let middle = 2u * a * b;
  add(SQUARES + slot, b * b);
  add(SQUARES + slot, middle << 16u);
  high[SQUARES + slot] += a * a + (middle >> 16u);
}

// Takes a weight among the largest of this lane, after those that are as large.
fn keep(cell: Cell) {
  var carried = cell;
  var is_in = false;
  for (var k = 0u; k < TOP; k++) {
    let other = best[k];
    is_in = is_in || carried.weight > other.weight;
    best[k].weight = select(other.weight, carried.weight, is_in);
    best[k].place = select(other.place, carried.place, is_in);
    carried.weight = select(carried.weight, other.weight, is_in);
    carried.place = select(carried.place, other.place, is_in);
  }
}

fn is_before(a: Cell, b: Cell) -> bool {
  return a.weight > b.weight || (a.weight == b.weight && a.place < b.place);
}

// Where row i of a packed triangle begins, in vec4s: rows 4g .. 4g+3 take g + 1 each.
fn row_start(i: u32) -> u32 {
  let g = i / 4u;
  return (2u * g + i % 4u) * (g + 1u);
}
