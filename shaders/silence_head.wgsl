// silence_head: v[t, h, d] = 0, for one head h
//
//   qkv (T, 3C)  of one layer, of which the last C channels are the values
//
// A head whose values are nothing mixes nothing, whatever it looks at: this is how a head is switched off, for the
// forward pass and for every measure of flow alike.
//
// Dispatch: (ceil(T D / 4 / 64)). One invocation writes one texel.

override C4: u32; // channels
override D4: u32; // channels of a head

struct Prompt {
  tokens: u32, // T
  first: u32,
  slot: u32, // the row of position 0 in qkv
}
struct Head {
  index: u32,
}

const WORKGROUP = 64u;

@group(0) @binding(0) var qkv: texture_storage_2d<rgba32float, write>;
@group(1) @binding(0) var<uniform> prompt: Prompt;
@group(2) @binding(0) var<uniform> head: Head;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x / D4;
  if (row >= prompt.tokens) {
    return;
  }
  textureStore(qkv, vec2u(2u * C4 + head.index * D4 + id.x % D4, prompt.slot + row), vec4f());
}
