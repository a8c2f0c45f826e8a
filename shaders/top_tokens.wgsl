// top_tokens: the k largest logits of each row so far, and what the softmax over all of them needs
//
//   logits (R, block)  of the tokens of one block of the vocabulary, four a texel
//   tops   (2, R, 2 + 2 k)  of each row: the largest logit, the sum of exp(logit - largest), then k logits and k token
//                      ids, best first, an id in the bits of a float. A block's dispatch reads one half and writes the
//                      other
//
// The vocabulary is larger than a binding, so that blocks come one after the other; the sum is kept as in
// attention_pattern.wgsl (Milakov & Gimelshein 2018). Of equal logits the lower id comes first.
//
// Dispatch, once for each block in turn: (R). One workgroup makes one row: k times the best of what comes after the one
// before, among the block's tokens and the row's k so far.

struct Block {
  first: u32, // token of the first logit
  tokens: u32, // how many there are in the block
  half: u32, // of tops, to be written
  row: u32, // of tops, for the first row of logits
  rows: u32, // of tops
  k: u32,
}

const LANES = 64u;
const LOWEST = -3.0e38;
const NONE = 0xffffffffu;

@group(0) @binding(0) var logits: texture_storage_2d<rgba32float, read>;
@group(0) @binding(1) var<storage, read_write> tops: array<f32>;
@group(1) @binding(0) var<uniform> block: Block;

struct Candidate { logit: f32, id: u32 }

var<workgroup> candidates: array<Candidate, LANES>;
var<workgroup> partial: array<f32, LANES>;

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let width = 2u + 2u * block.k;
  let row = group.x;
  let before = ((1u - block.half) * block.rows + block.row + row) * width;
  let after = (block.half * block.rows + block.row + row) * width;
  let is_first = block.first == 0u;
  let texels = (block.tokens + 3u) / 4u;

  var largest = select(tops[before], LOWEST, is_first);
  for (var at = lane; at < texels; at += LANES) {
    let four = seen(at, row);
    largest = max(largest, max(max(four.x, four.y), max(four.z, four.w)));
  }
  partial[lane] = largest;
  workgroupBarrier();
  for (var half = LANES / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      partial[lane] = max(partial[lane], partial[lane + half]);
    }
    workgroupBarrier();
  }
  largest = partial[0];
  workgroupBarrier();
  var sum = 0.0;
  for (var at = lane; at < texels; at += LANES) {
    sum += dot(exp(seen(at, row) - largest), vec4f(1.0));
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
    var total = partial[0];
    if (!is_first) {
      total += tops[before + 1u] * exp(tops[before] - largest);
    }
    tops[after] = largest;
    tops[after + 1u] = total;
  }

  var last = Candidate(3.0e38, 0u);
  for (var place = 0u; place < block.k; place++) {
    var best = Candidate(LOWEST, NONE);
    for (var at = lane; at < texels; at += LANES) {
      let four = seen(at, row);
      let id = block.first + 4u * at;
      best = better(best, Candidate(four.x, id), last);
      best = better(best, Candidate(four.y, id + 1u), last);
      best = better(best, Candidate(four.z, id + 2u), last);
      best = better(best, Candidate(four.w, id + 3u), last);
    }
    if (!is_first) {
      for (var i = lane; i < block.k; i += LANES) {
        let known = Candidate(tops[before + 2u + i], bitcast<u32>(tops[before + 2u + block.k + i]));
        best = better(best, known, last);
      }
    }
    candidates[lane] = best;
    workgroupBarrier();
    for (var half = LANES / 2u; half > 0u; half /= 2u) {
      if (lane < half) {
        candidates[lane] = better(candidates[lane], candidates[lane + half], last);
      }
      workgroupBarrier();
    }
    last = candidates[0];
    if (lane == 0u) {
      tops[after + 2u + place] = last.logit;
      tops[after + 2u + block.k + place] = bitcast<f32>(last.id);
    }
    workgroupBarrier();
  }
}

// Four logits, those of no token as the lowest.
fn seen(at: u32, row: u32) -> vec4f {
  let is_token = 4u * at + vec4u(0u, 1u, 2u, 3u) < vec4u(block.tokens);
  return select(vec4f(LOWEST), textureLoad(logits, vec2u(at, row)), is_token);
}

// The better of two, of which only what comes after the last place's counts.
fn better(a: Candidate, b: Candidate, last: Candidate) -> Candidate {
  let is_after = b.logit < last.logit || (b.logit == last.logit && b.id > last.id);
  let is_better = b.logit > a.logit || (b.logit == a.logit && b.id < a.id);
  if (is_after && is_better && b.logit > LOWEST) {
    return b;
  }
  return a;
}
