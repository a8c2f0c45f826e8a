// fma: nothing but multiplying and adding in registers, which no kernel can be faster than
//
//   out (WORKGROUPS * 64)  a number of each invocation, so that nothing is optimised away
//
// Dispatch: (WORKGROUPS). An invocation does 16 x 4 fused multiply-adds in each of LOOPS rounds; sixteen sums don't wait
// for each other.

override LOOPS: u32;

@group(0) @binding(0) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let m = vec4f(0.999, 0.998, 0.997, 0.996);
  let c = vec4f(f32(id.x) * 1e-3);
  var s0 = c; var s1 = c + 1.0; var s2 = c + 2.0; var s3 = c + 3.0;
  var s4 = c + 4.0; var s5 = c + 5.0; var s6 = c + 6.0; var s7 = c + 7.0;
  var s8 = c + 8.0; var s9 = c + 9.0; var s10 = c + 10.0; var s11 = c + 11.0;
  var s12 = c + 12.0; var s13 = c + 13.0; var s14 = c + 14.0; var s15 = c + 15.0;
  for (var i = 0u; i < LOOPS; i++) {
    s0 = fma(s0, m, c); s1 = fma(s1, m, c); s2 = fma(s2, m, c); s3 = fma(s3, m, c);
    s4 = fma(s4, m, c); s5 = fma(s5, m, c); s6 = fma(s6, m, c); s7 = fma(s7, m, c);
    s8 = fma(s8, m, c); s9 = fma(s9, m, c); s10 = fma(s10, m, c); s11 = fma(s11, m, c);
    s12 = fma(s12, m, c); s13 = fma(s13, m, c); s14 = fma(s14, m, c); s15 = fma(s15, m, c);
  }
  let sum = s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7 + s8 + s9 + s10 + s11 + s12 + s13 + s14 + s15;
  out[id.x] = dot(sum, vec4f(1.0));
}
