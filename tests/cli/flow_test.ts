import assert from "node:assert/strict";
import { tableFromIPC } from "@uwdata/flechette";
import { readReference } from "../support/fixtures.ts";
import { assertClose } from "../support/assert_close.ts";
import { runTask } from "../support/serve.ts";

const CART = "Mary and John went to the store. John gave the cart to";

Deno.test("flow prints a heatmap with the tokens as labels", async () => {
  const { code, stdout } = await runTask("flow", [CART], { env: { NO_COLOR: "1" } });
  assert.equal(code, 0);
  const lines = stdout.split("\n");
  const { tensors } = await readReference("bundled/cart");
  const mean = tensors.get("info_flow_mean")!;
  const row = lines.find((line) => line.includes("␣gave"))!;
  const percents = row.trim().split(/ +/).slice(1).map(Number);
  assert.deepEqual(
    percents,
    Array.from(mean.subarray(9 * 13, 9 * 13 + 10), (weight) => Math.round(100 * weight)),
  );
  assert.match(stdout, /percent of what each target/);
});

Deno.test("flow --by-layer prints a heatmap for each layer", async () => {
  const { stdout } = await runTask("flow", ["Hello world", "--by-layer"]);
  assert.deepEqual(stdout.match(/layer \d/g), [0, 1, 2, 3, 4, 5].map((l) => `layer ${l}`));
});

Deno.test("flow --out writes Arrow", async () => {
  const path = await Deno.makeTempFile({ suffix: ".arrow" });
  const args = [CART, "--by-layer", "--out", path];
  const { code, stdout, stderr } = await runTask("flow", args);
  assert.equal(code, 0);
  assert.equal(stdout, "");
  assert.match(stderr, /wrote 6 x 13 x 13 \(layer, target, source\) to/);
  const table = tableFromIPC(await Deno.readFile(path));
  await Deno.remove(path);
  const lists = table.getChild("flow").toArray() as ArrayLike<number>[];
  const { tensors } = await readReference("bundled/cart");
  const numbers = Array.from(lists, (list) => Array.from(list)).flat();
  assertClose(numbers, tensors.get("info_flow_by_layer")!, { atol: 1e-5 });
});

const MISUSES: [args: string[], code: number, message: RegExp][] = [
  [[], 2, /^error: flow takes one prompt: write it in quotes/],
  [["Hello", "world"], 2, /^error: flow takes one prompt/],
  [
    ["Hello", "--aggregation", "mean"],
    2,
    /^error: --aggregation must be one of MEAN, NOTEBOOK, ROLLOUT/,
  ],
  [[""], 1, /^error: Cannot run an empty prompt.* \(PROMPT_EMPTY\)/],
  [["word ".repeat(300)], 1, /^error: .*has 302 tokens.* takes 256 \(PROMPT_TOO_LONG\)/],
  [["Hello", "--out", "/nowhere/x.arrow"], 1, /^error: /],
];
for (const [args, expected, message] of MISUSES) {
  Deno.test(`flow ${args.map((arg) => JSON.stringify(arg.slice(0, 20))).join(" ")} ends with a line and ${expected}`, async () => {
    const { code, stderr } = await runTask("flow", args);
    assert.match(stderr, message);
    assert(!/\n +at /.test(stderr), "no stack");
    assert.equal(code, expected);
  });
}
