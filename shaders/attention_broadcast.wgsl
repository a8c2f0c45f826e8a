// attention_broadcast: A[h, i, j] = softmax over j <= i of (q[i, h] . k[j, h]) scale
//
//   qkv      (T, 3C)   queries, keys and values of one layer, four channels a texel, a row for each position;
//                      head h has D channels
//   patterns (H, T, T) of one layer, causal rows packed: row i begins at row_start(i) and holds sources 0 .. i,
//                      then zeros up to a whole vec4; heads are prompt.stride vec4s apart
//
// attention_pattern.wgsl for software adapters whose subgroups have 8 lanes or more: each lane loads the query of one
// target, and it goes to all lanes in a register, where that one loads all eight in every lane.
//
// Dispatch: (ceil((T - prompt.first) / 8), H). Only targets from prompt.first on are made. One workgroup makes 8 targets
// of one head. Each lane takes every eighth vec4 of sources: it writes the raw scores of its sources, keeping the
// running maximum and sum of exponents of each row (Milakov & Gimelshein 2018), and when the lanes have put those
// together, goes over its own scores again and makes them probabilities. Where scores are changed in between, one
// dispatch (STAGE) makes the scores and another the rest, to the same bits.

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

const LANES = 8u;
const ROWS = 8u;
const SCORES = 1u;
const SOFTMAX = 2u;
const LOWEST = -3.0e38; // a score that no score is below: where there is no source

@group(0) @binding(0) var<uniform> layer: Layer;
@group(0) @binding(1) var qkv: texture_storage_2d<rgba32float, read>;
@group(1) @binding(0) var<uniform> prompt: Prompt;
@group(2) @binding(0) var<storage, read_write> patterns: array<vec4f>;

var<workgroup> maxima: array<array<f32, LANES>, ROWS>;
var<workgroup> sums: array<array<f32, LANES>, ROWS>;

// Four scores (a vec4 of sources), or four channels of the query, of each of the 8 targets.
struct Rows { r0: vec4f, r1: vec4f, r2: vec4f, r3: vec4f, r4: vec4f, r5: vec4f, r6: vec4f, r7: vec4f }

// What softmax needs to know of a row: its largest score, and the sum of exp(score - largest).
struct Softmax { largest: f32, sum: f32 }

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let first = prompt.first + group.x * ROWS;
  let head = group.y;
  let last = min(first + ROWS, prompt.tokens) - 1u;
  let sources = last / 4u + 1u; // vec4s of sources that the last target sees

  var row0 = Softmax(LOWEST, 0.0);
  var row1 = Softmax(LOWEST, 0.0);
  var row2 = Softmax(LOWEST, 0.0);
  var row3 = Softmax(LOWEST, 0.0);
  var row4 = Softmax(LOWEST, 0.0);
  var row5 = Softmax(LOWEST, 0.0);
  var row6 = Softmax(LOWEST, 0.0);
  var row7 = Softmax(LOWEST, 0.0);
  for (var begin = 0u; begin < sources; begin += LANES) {
    let source = begin + lane; // beyond the last one too, as every lane must be there to load its query
    var scores = Rows();
    if (STAGE != SOFTMAX) {
      score(&scores, first, source, head, lane);
    }
    put(&row0, first, source, head, scores.r0);
    put(&row1, first + 1u, source, head, scores.r1);
    put(&row2, first + 2u, source, head, scores.r2);
    put(&row3, first + 3u, source, head, scores.r3);
    put(&row4, first + 4u, source, head, scores.r4);
    put(&row5, first + 5u, source, head, scores.r5);
    put(&row6, first + 6u, source, head, scores.r6);
    put(&row7, first + 7u, source, head, scores.r7);
  }
  if (STAGE == SCORES) {
    return;
  }
  share(0u, lane, row0); share(1u, lane, row1); share(2u, lane, row2); share(3u, lane, row3);
  share(4u, lane, row4); share(5u, lane, row5); share(6u, lane, row6); share(7u, lane, row7);
  workgroupBarrier();
  for (var r = 0u; first + r <= last; r++) {
    normalise(first + r, lane, head, gather(r));
  }
}

// q . k of 8 targets and 4 sources.
fn score(scores: ptr<function, Rows>, first: u32, source: u32, head: u32, lane: u32) {
  let i = prompt.slot + first + lane;
  let j = prompt.slot + 4u * source;
  for (var d = 0u; d < D4; d++) {
    let q = head * D4 + d;
    let query = load(q, i);
    let queries = Rows(
      subgroupBroadcast(query, 0u), subgroupBroadcast(query, 1u),
      subgroupBroadcast(query, 2u), subgroupBroadcast(query, 3u),
      subgroupBroadcast(query, 4u), subgroupBroadcast(query, 5u),
      subgroupBroadcast(query, 6u), subgroupBroadcast(query, 7u),
    );
    add(scores, queries, keys(C4 + q, j));
  }
}

// Four channels of the keys of four sources; a column has a channel of all four.
fn keys(channel: u32, j: u32) -> mat4x4f {
  return transpose(
    mat4x4f(load(channel, j), load(channel, j + 1u), load(channel, j + 2u), load(channel, j + 3u)),
  );
}

fn add(scores: ptr<function, Rows>, q: Rows, k: mat4x4f) {
  (*scores).r0 = add_row((*scores).r0, q.r0, k);
  (*scores).r1 = add_row((*scores).r1, q.r1, k);
  (*scores).r2 = add_row((*scores).r2, q.r2, k);
  (*scores).r3 = add_row((*scores).r3, q.r3, k);
  (*scores).r4 = add_row((*scores).r4, q.r4, k);
  (*scores).r5 = add_row((*scores).r5, q.r5, k);
  (*scores).r6 = add_row((*scores).r6, q.r6, k);
  (*scores).r7 = add_row((*scores).r7, q.r7, k);
}

// sum + k q, a channel at a time.
fn add_row(sum: vec4f, q: vec4f, k: mat4x4f) -> vec4f {
  return fma(k[3], q.wwww, fma(k[2], q.zzzz, fma(k[1], q.yyyy, fma(k[0], q.xxxx, sum))));
}

fn load(channel: u32, row: u32) -> vec4f {
  return textureLoad(qkv, vec2u(channel, row));
}

// Writes the scores of one target and takes them into its row's maximum and sum.
fn put(row: ptr<function, Softmax>, i: u32, source: u32, head: u32, raw: vec4f) {
  if (i >= prompt.tokens || source > i / 4u) {
    return;
  }
  let at = head * prompt.stride + row_start(i) + source;
  var scores = select(vec4f(LOWEST), raw * layer.scale, is_seen(i, source));
  if (STAGE == SOFTMAX) {
    scores = patterns[at];
  }
  patterns[at] = scores;
  let largest = max((*row).largest, max(max(scores.x, scores.y), max(scores.z, scores.w)));
  let exponents = exp(scores - largest);
  (*row).sum = (*row).sum * exp((*row).largest - largest) + dot(exponents, vec4f(1.0));
  (*row).largest = largest;
}

fn share(r: u32, lane: u32, row: Softmax) {
  maxima[r][lane] = row.largest;
  sums[r][lane] = row.sum;
}

fn gather(r: u32) -> Softmax {
  var largest = LOWEST;
  for (var lane = 0u; lane < LANES; lane++) {
    largest = max(largest, maxima[r][lane]);
  }
  var sum = 0.0;
  for (var lane = 0u; lane < LANES; lane++) {
    sum += sums[r][lane] * exp(maxima[r][lane] - largest);
  }
  return Softmax(largest, sum);
}

// Makes probabilities of the scores that this lane wrote.
fn normalise(i: u32, lane: u32, head: u32, row: Softmax) {
  let start = head * prompt.stride + row_start(i);
  for (var source = lane; source <= i / 4u; source += LANES) {
    let probabilities = exp(patterns[start + source] - row.largest) / row.sum;
    patterns[start + source] = select(vec4f(), probabilities, is_seen(i, source));
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
