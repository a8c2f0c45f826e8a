/**
 * jax-js on Deno's WebGPU: GPT-2's attention patterns as one `jit`. Embeddings are summed on the host, because wte is
 * larger than a binding of the software adapter; what the last layer's pattern doesn't need is left out. See
 * `../bench.ts`.
 */
import { open } from "../../packages/safetensors/mod.ts";
import { measurePatterns, peerArguments } from "./peer.ts";

// Not a literal, so that type checking the project doesn't download it.
const PACKAGE = "npm:@jax-js/jax@0.1.25";
const { defaultDevice, init, jit, nn, numpy: np } = await import(PACKAGE);

// deno-lint-ignore no-explicit-any -- an array of a library whose types are not loaded
type Array = any;
type Layer = Record<string, Array>;

const { model, cases } = await peerArguments();
await init("webgpu");
defaultDevice("webgpu");
const config = JSON.parse(await Deno.readTextFile(`${model}/config.json`));
const { n_layer: L, n_head: H, n_embd: C, layer_norm_epsilon: epsilon } = config;
await using file = await open(`${model}/model.safetensors`);
const wte = await file.float32("wte.weight");
const wpe = await file.float32("wpe.weight");

const upload = async (name: string): Promise<Array> =>
  np.array(await file.float32(name)).reshape([...file.tensors.get(name)!.shape]);

/** Queries, keys or values out of the matrix that has them side by side. */
async function third(name: string, index: number): Promise<Array> {
  const values = await file.float32(name);
  const rows = values.length / (3 * C);
  const part = new Float32Array(rows * C);
  for (let row = 0; row < rows; row++) {
    part.set(values.subarray((3 * row + index) * C, (3 * row + index + 1) * C), row * C);
  }
  return np.array(part).reshape(rows === 1 ? [C] : [rows, C]);
}

const layers: Layer[] = [];
for (let l = 0; l < L; l++) {
  const layer: Layer = {
    gain1: await upload(`h.${l}.ln_1.weight`),
    bias1: await upload(`h.${l}.ln_1.bias`),
  };
  for (const [index, name] of ["q", "k", "v"].entries()) {
    if (l === L - 1 && name === "v") continue;
    layer[`w${name}`] = await third(`h.${l}.attn.c_attn.weight`, index);
    layer[`b${name}`] = await third(`h.${l}.attn.c_attn.bias`, index);
  }
  if (l < L - 1) {
    for (
      const [key, name] of [["o", "attn.c_proj"], ["i", "mlp.c_fc"], ["p", "mlp.c_proj"]] as const
    ) {
      layer[`w${key}`] = await upload(`h.${l}.${name}.weight`);
      layer[`b${key}`] = await upload(`h.${l}.${name}.bias`);
    }
    layer.gain2 = await upload(`h.${l}.ln_2.weight`);
    layer.bias2 = await upload(`h.${l}.ln_2.bias`);
  }
  layers.push(layer);
}

const norm = (x: Array, gain: Array, bias: Array): Array =>
  nn.standardize(x, -1, { epsilon }).mul(gain).add(bias);
const linear = (x: Array, w: Array, b: Array): Array => np.matmul(x, w).add(b);

// A use of an array gives it away; `ref` keeps it for another.
const forward = jit((x: Array, mask: Array, layers: Layer[]) => {
  const tokens = x.shape[0];
  const patterns: Array[] = [];
  const byHead = (y: Array): Array => y.reshape([tokens, H, C / H]).transpose([1, 0, 2]);
  layers.forEach((w, l) => {
    const normed = norm(x.ref, w.gain1, w.bias1);
    const q = byHead(linear(normed.ref, w.wq, w.bq)).mul(1 / Math.sqrt(C / H));
    const k = byHead(linear(normed.ref, w.wk, w.bk)).transpose([0, 2, 1]);
    const pattern = nn.softmax(np.matmul(q, k).add(mask.ref), -1);
    patterns.push(pattern.ref);
    if (l === L - 1) {
      for (const unused of [normed, pattern, x, mask]) unused.dispose();
      return;
    }
    const v = byHead(linear(normed, w.wv, w.bv));
    const z = np.matmul(pattern, v).transpose([1, 0, 2]).reshape([tokens, C]);
    x = x.add(linear(z, w.wo, w.bo));
    const hidden = nn.gelu(linear(norm(x.ref, w.gain2, w.bias2), w.wi, w.bi));
    x = x.add(linear(hidden, w.wp, w.bp));
  });
  return np.stack(patterns);
});

const kept = (layer: Layer): Layer =>
  Object.fromEntries(Object.entries(layer).map(([name, array]) => [name, array.ref]));

for (const it of cases) {
  const tokens = it.ids.length;
  const triangle = new Float32Array(tokens * tokens);
  for (let i = 0; i < tokens; i++) triangle.fill(-1e30, i * tokens + i + 1, (i + 1) * tokens);
  const mask = np.array(triangle).reshape([tokens, tokens]);
  await measurePatterns("jax-js", it, async (ids) => {
    const x = new Float32Array(tokens * C);
    for (let t = 0; t < tokens; t++) {
      for (let c = 0; c < C; c++) x[t * C + c] = wte[ids[t]! * C + c]! + wpe[t * C + c]!;
    }
    return await forward(np.array(x).reshape([tokens, C]), mask.ref, layers.map(kept)).data();
  });
}
Deno.exit(0);
