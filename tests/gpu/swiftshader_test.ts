/**
 * The kernels, the methods and the engine once more on another driver: SwiftShader, which comes with Chromium. What
 * agrees with float64 on it and on Mesa's llvmpipe leans on neither.
 */
import assert from "node:assert/strict";
import { statIfThere } from "../../src/files.ts";

const ROOT = new URL("../../", import.meta.url);
const PLACES = ["/usr/lib/chromium", "/usr/lib/chromium-browser", "/opt/google/chrome"];
const FILES = [
  "tests/kernels",
  "tests/flow",
  "tests/engine/methods_test.ts",
  "tests/engine/engine_test.ts",
];
/**
 * One size of each kernel and of each method, and the engine's flows; `mix_values_wide` is for llvmpipe alone, and
 * `linear_broadcast` needs subgroups of 8 lanes (SwiftShader's have 4).
 */
const CHOSEN =
  "/T = 65|(attention_rows|attention_subgroups|mix_tiles), T = (1|5|257) |of \\(65, |linear_(registers|tiles|tiles_128)(_f16)? \\(65, |linear_tiles \\(5, |res-topk|tiny/T65/";

async function driver(): Promise<string> {
  for (const place of PLACES) {
    const path = `${place}/vk_swiftshader_icd.json`;
    if (await statIfThere(path)) return path;
  }
  throw new Error("Cannot find SwiftShader: install Chromium (Debian: apt-get install chromium)");
}

async function deno(...args: string[]): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { VK_ICD_FILENAMES: await driver(), NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return { code, text: decoder.decode(stdout) + decoder.decode(stderr) };
}

Deno.test("kernels, methods and the engine agree with float64 on SwiftShader too", async () => {
  const ask = "console.log((await navigator.gpu.requestAdapter())?.info.description)";
  assert.match((await deno("eval", ask)).text, /SwiftShader/);
  const { code, text } = await deno("test", "-A", "--no-check", `--filter=${CHOSEN}`, ...FILES);
  assert.equal(code, 0, text);
  const passed = Number(text.match(/(\d+) passed/)?.[1]);
  assert(passed >= 25, `only ${passed} tests were chosen`);
});
