// attention_subgroups: A[h, i, j] = softmax over j <= i of (q[i, h] . k[j, h]) scale
//
//   qkv      (T, 3C)   queries, keys and values of one layer, four channels a texel, a row for each position;
//                      head h has D channels
//   patterns (H, T, T) of one layer, causal rows packed: row i begins at row_start(i) and holds sources 0 .. i,
//                      then zeros up to a whole vec4; heads are prompt.stride vec4s apart
//
// attention_rows.wgsl for GPUs with subgroups, which find the maximum and the sum of a row without workgroup memory.
//
// Dispatch: (ceil((T - prompt.first) / 4), H). Only targets from prompt.first on are made. One workgroup makes 4 targets
// of one head. Each invocation has a vec4 of sources, of 1,024 sources at a time: up to there scores stay in registers
// and a pattern is written once. A longer row takes each score twice, first for its maximum and sum of exponents (Milakov
// & Gimelshein 2018). Where scores are changed in between, one dispatch (STAGE) makes the scores and another the rest, to
// the same bits.

enable subgroups;

override C4: u32; // channels
override D4: u32; // channels of a head
override STAGE: u32; // what is made: all, the scores alone, or the softmax of scores that are there

struct Layer {
  scale: f32, // 1 / sqrt(D), or what the model's config makes of it
}
struct Prompt {
  tokens: u32, // T
  first: u32, // the first target to make
  slot: u32, // the row of position 0 in qkv
  row: u32, // the row of the first target elsewhere
  stride: u32, // vec4s from one head's triangle to the next
}

const LANES = 256u;
const ROWS = 4u;
const SCORES = 1u;
const SOFTMAX = 2u;
const LOWEST = -3.0e38; // a score that no score is below: where there is no source

@group(0) @binding(0) var<uniform> layer: Layer;
@group(0) @binding(1) var qkv: texture_storage_2d<rgba32float, read>;
@group(1) @binding(0) var<uniform> prompt: Prompt;
@group(2) @binding(0) var<storage, read_write> patterns: array<vec4f>;

var<workgroup> queries: array<vec4f, ROWS * D4>;
var<workgroup> shared_rows: array<vec4f, LANES>; // a number of each of the 4 targets, by subgroup

// Four scores (a vec4 of sources) of each of the 4 targets.
struct Rows { r0: vec4f, r1: vec4f, r2: vec4f, r3: vec4f }

// What softmax needs to know of the 4 rows: their largest scores, and the sums of exp(score - largest).
struct Softmax { largest: vec4f, sum: vec4f }

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) lane: u32,
  @builtin(subgroup_invocation_id) within: u32,
  @builtin(subgroup_size) size: u32,
) {
  let first = prompt.first + group.x * ROWS;
  let head = group.y;
  let last = min(first + ROWS, prompt.tokens) - 1u;
  let sources = last / 4u + 1u; // vec4s of sources that the last target sees
  for (var at = lane; at < ROWS * D4; at += LANES) {
    queries[at] = textureLoad(qkv, vec2u(head * D4 + at / ROWS, prompt.slot + first + at % ROWS));
  }
  workgroupBarrier();

  var scores = Rows();
  var mine = Softmax(vec4f(LOWEST), vec4f());
  for (var source = lane; source < sources; source += LANES) {
    scores = scores_of(first, source, head);
    if (STAGE == SCORES) {
      write(first, last, source, head, scores);
    }
    mine = take(mine, scores);
  }
  if (STAGE == SCORES) {
    return;
  }
  let all = together(lane, within, size, mine);
  for (var source = lane; source < sources; source += LANES) {
    if (sources > LANES) {
      scores = scores_of(first, source, head);
    }
    write(first, last, source, head, Rows(
      probabilities(scores.r0, first, source, all.largest.x, all.sum.x),
      probabilities(scores.r1, first + 1u, source, all.largest.y, all.sum.y),
      probabilities(scores.r2, first + 2u, source, all.largest.z, all.sum.z),
      probabilities(scores.r3, first + 3u, source, all.largest.w, all.sum.w),
    ));
  }
}

// The scores of 4 targets and 4 sources, LOWEST where a target doesn't see a source.
fn scores_of(first: u32, source: u32, head: u32) -> Rows {
  var scores = Rows();
  if (STAGE == SOFTMAX) {
    let start = head * prompt.stride + source;
    scores = Rows(
      written(start, first, source), written(start, first + 1u, source),
      written(start, first + 2u, source), written(start, first + 3u, source),
    );
  } else {
    let j = prompt.slot + 4u * source;
    for (var d = 0u; d < D4; d++) {
      let at = vec2u(C4 + head * D4 + d, j);
      // A column has a channel of all four sources.
      let k = transpose(mat4x4f(
        textureLoad(qkv, at), textureLoad(qkv, at + vec2u(0u, 1u)),
        textureLoad(qkv, at + vec2u(0u, 2u)), textureLoad(qkv, at + vec2u(0u, 3u)),
      ));
      scores.r0 = add_row(scores.r0, queries[d * ROWS], k);
      scores.r1 = add_row(scores.r1, queries[d * ROWS + 1u], k);
      scores.r2 = add_row(scores.r2, queries[d * ROWS + 2u], k);
      scores.r3 = add_row(scores.r3, queries[d * ROWS + 3u], k);
    }
    scores = Rows(
      scores.r0 * layer.scale, scores.r1 * layer.scale, scores.r2 * layer.scale, scores.r3 * layer.scale,
    );
  }
  let lowest = vec4f(LOWEST);
  return Rows(
    select(lowest, scores.r0, is_seen(first, source)),
    select(lowest, scores.r1, is_seen(first + 1u, source)),
    select(lowest, scores.r2, is_seen(first + 2u, source)),
    select(lowest, scores.r3, is_seen(first + 3u, source)),
  );
}

// sum + k q, a channel at a time.
fn add_row(sum: vec4f, q: vec4f, k: mat4x4f) -> vec4f {
  return fma(k[3], q.wwww, fma(k[2], q.zzzz, fma(k[1], q.yyyy, fma(k[0], q.xxxx, sum))));
}

// Scores that are there.
fn written(start: u32, i: u32, source: u32) -> vec4f {
  let is_there = i < prompt.tokens && source <= i / 4u;
  return patterns[select(0u, start + row_start(i), is_there)];
}

// Takes four scores of each row into its maximum and sum.
fn take(before: Softmax, scores: Rows) -> Softmax {
  let largest = max(
    before.largest,
    vec4f(most(scores.r0), most(scores.r1), most(scores.r2), most(scores.r3)),
  );
  let sum = vec4f(
    total(exp(scores.r0 - largest.x)), total(exp(scores.r1 - largest.y)),
    total(exp(scores.r2 - largest.z)), total(exp(scores.r3 - largest.w)),
  );
  return Softmax(largest, before.sum * exp(before.largest - largest) + sum);
}

fn most(v: vec4f) -> f32 {
  return max(max(v.x, v.y), max(v.z, v.w));
}

fn total(v: vec4f) -> f32 {
  return dot(v, vec4f(1.0));
}

// Puts what all invocations have of the rows together: within each subgroup, then over subgroups, in their order.
fn together(lane: u32, within: u32, size: u32, mine: Softmax) -> Softmax {
  let ours = subgroupMax(mine.largest);
  if (within == 0u) {
    shared_rows[lane / size] = ours;
  }
  workgroupBarrier();
  var largest = shared_rows[0];
  for (var at = 1u; at < LANES / size; at++) {
    largest = max(largest, shared_rows[at]);
  }
  workgroupBarrier(); // all have read them
  let sums = subgroupAdd(mine.sum * exp(mine.largest - largest));
  if (within == 0u) {
    shared_rows[lane / size] = sums;
  }
  workgroupBarrier();
  var sum = shared_rows[0];
  for (var at = 1u; at < LANES / size; at++) {
    sum += shared_rows[at];
  }
  return Softmax(largest, sum);
}

fn probabilities(scores: vec4f, i: u32, source: u32, largest: f32, sum: f32) -> vec4f {
  return select(vec4f(), exp(scores - largest) / sum, is_seen(i, source));
}

// Writes four sources of each row that has them.
fn write(first: u32, last: u32, source: u32, head: u32, rows: Rows) {
  write_row(first, last, source, head, rows.r0);
  write_row(first + 1u, last, source, head, rows.r1);
  write_row(first + 2u, last, source, head, rows.r2);
  write_row(first + 3u, last, source, head, rows.r3);
}

fn write_row(i: u32, last: u32, source: u32, head: u32, row: vec4f) {
  if (i <= last && source <= i / 4u) {
    patterns[head * prompt.stride + row_start(i) + source] = row;
  }
}

// Which of a vec4 of sources the target sees: itself and what is before it.
fn is_seen(i: u32, source: u32) -> vec4<bool> {
  return source * 4u + vec4u(0u, 1u, 2u, 3u) <= vec4u(i);
}

// Where row i of a packed triangle begins, in vec4s: rows 4g .. 4g+3 take g + 1 each.
fn row_start(i: u32) -> u32 {
  let g = i / 4u;
  return (2u * g + i % 4u) * (g + 1u);
}
