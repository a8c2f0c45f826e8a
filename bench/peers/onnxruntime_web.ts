/**
 * onnxruntime-web on Deno's WebGPU, running the graph that `export_onnx.py` makes. See `../bench.ts`.
 */
import { measurePatterns, peerArguments } from "./peer.ts";

// Not a literal, so that type checking the project doesn't download it.
const PACKAGE = "npm:onnxruntime-web@1.30.0/webgpu";
const ort = await import(PACKAGE);

const { work, cases } = await peerArguments();
const path = `${work}/model.onnx`;
ort.env.wasm.numThreads = 1;
ort.env.logLevel = "error";
const session = await ort.InferenceSession.create(await Deno.readFile(path), {
  executionProviders: ["webgpu"],
  externalData: [{ path: "model.onnx_data", data: await Deno.readFile(`${path}_data`) }],
  preferredOutputLocation: "cpu",
  graphOptimizationLevel: "all",
});
for (const it of cases) {
  const tokens = it.ids.length;
  const mask = new Float32Array(tokens * tokens);
  for (let i = 0; i < tokens; i++) mask.fill(-1e30, i * tokens + i + 1, (i + 1) * tokens);
  await measurePatterns("onnxruntime-web", it, async (ids) => {
    const { patterns } = await session.run({
      ids: new ort.Tensor("int64", BigInt64Array.from(ids, BigInt), [tokens]),
      mask: new ort.Tensor("float32", mask, [tokens, tokens]),
    });
    return await patterns.getData();
  });
}
Deno.exit(0);
