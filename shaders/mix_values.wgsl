// mix_values: z[i, h, d] = sum_{j <= i} A[h, i, j] v[j, h, d]
//
//   patterns (H, T, T)  of one layer, packed as attention_pattern.wgsl wrote them
//   qkv      (T, 3C)    of which the last C channels are the values
//   z        (T, C)     heads side by side; a row is Z_STRIDE vec4s long
//
// Dispatch: (ceil(ceil(T / 8) C4 / 32)). One invocation makes 8 targets x 4 channels.

override C4: u32;
override D4: u32;
override STRIDE: u32; // a row of qkv
override Z_STRIDE: u32;

struct Prompt {
  tokens: u32, // T
  head: u32, // vec4s from one head's triangle to the next
}

const ROWS = 8u;

@group(0) @binding(0) var<uniform> prompt: Prompt;
@group(0) @binding(1) var<storage, read> qkv: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> z: array<vec4f>;
@group(1) @binding(0) var<storage, read> patterns: array<vec4f>;

@compute @workgroup_size(32)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let channel = id.x % C4;
  let first = id.x / C4 * ROWS;
  if (first >= prompt.tokens) {
    return;
  }
  let last = min(first + ROWS, prompt.tokens) - 1u;
  let head = channel / D4 * prompt.head;
  let start0 = head + row_start(first);
  let start4 = head + row_start(first + 4u);
  // Eight rows that begin at a multiple of 8 are two groups of four rows of equal length.
  let length0 = first / 4u + 1u;
  let length4 = length0 + 1u;

  var z0 = vec4f(); var z1 = vec4f(); var z2 = vec4f(); var z3 = vec4f();
  var z4 = vec4f(); var z5 = vec4f(); var z6 = vec4f(); var z7 = vec4f();
  for (var source = 0u; source <= last / 4u; source++) {
    let at = 4u * source * STRIDE + 2u * C4 + channel;
    let values = mat4x4f(qkv[at], qkv[at + STRIDE], qkv[at + 2u * STRIDE], qkv[at + 3u * STRIDE]);
    if (source < length0) {
      z0 += values * patterns[start0 + source];
      z1 += values * patterns[start0 + length0 + source];
      z2 += values * patterns[start0 + 2u * length0 + source];
      z3 += values * patterns[start0 + 3u * length0 + source];
    }
    z4 += values * patterns[start4 + source];
    z5 += values * patterns[start4 + length4 + source];
    z6 += values * patterns[start4 + 2u * length4 + source];
    z7 += values * patterns[start4 + 3u * length4 + source];
  }
  let at = first * Z_STRIDE + channel;
  z[at] = z0;
  z[at + Z_STRIDE] = z1;
  z[at + 2u * Z_STRIDE] = z2;
  z[at + 3u * Z_STRIDE] = z3;
  z[at + 4u * Z_STRIDE] = z4;
  z[at + 5u * Z_STRIDE] = z5;
  z[at + 6u * Z_STRIDE] = z6;
  z[at + 7u * Z_STRIDE] = z7;
}

// Where row i of a packed triangle begins, in vec4s: rows 4g .. 4g+3 take g + 1 each.
fn row_start(i: u32) -> u32 {
  let g = i / 4u;
  return (2u * g + i % 4u) * (g + 1u);
}
