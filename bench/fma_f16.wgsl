// fma_f16: fma.wgsl in float16, of adapters that have shader-f16
//
//   out (WORKGROUPS * 64)  a number of each invocation, so that nothing is optimised away
//
// Dispatch: (WORKGROUPS). An invocation does 16 x 4 fused multiply-adds in each of LOOPS rounds.

enable f16;

override LOOPS: u32;

@group(0) @binding(0) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let m = vec4h(0.999h, 0.998h, 0.997h, 0.996h);
  let c = vec4h(f16(id.x % 64u) * 1e-3h);
  var s0 = c; var s1 = c + 1.0h; var s2 = c + 2.0h; var s3 = c + 3.0h;
  var s4 = c + 4.0h; var s5 = c + 5.0h; var s6 = c + 6.0h; var s7 = c + 7.0h;
  var s8 = c + 8.0h; var s9 = c + 9.0h; var s10 = c + 10.0h; var s11 = c + 11.0h;
  var s12 = c + 12.0h; var s13 = c + 13.0h; var s14 = c + 14.0h; var s15 = c + 15.0h;
  for (var i = 0u; i < LOOPS; i++) {
    s0 = fma(s0, m, c); s1 = fma(s1, m, c); s2 = fma(s2, m, c); s3 = fma(s3, m, c);
    s4 = fma(s4, m, c); s5 = fma(s5, m, c); s6 = fma(s6, m, c); s7 = fma(s7, m, c);
    s8 = fma(s8, m, c); s9 = fma(s9, m, c); s10 = fma(s10, m, c); s11 = fma(s11, m, c);
    s12 = fma(s12, m, c); s13 = fma(s13, m, c); s14 = fma(s14, m, c); s15 = fma(s15, m, c);
  }
  let sum = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9 + s10 + s11 + s12 + s13 + s14 + s15;
  out[id.x] = f32(sum.x) + f32(sum.y) + f32(sum.z) + f32(sum.w);
}
