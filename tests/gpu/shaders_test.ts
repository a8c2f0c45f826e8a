import assert from "node:assert/strict";
import { wgslConstant } from "../../src/engine/gpu/wgsl_constant.ts";
import { ROWS_MEMBERS, SHAPE_MEMBERS } from "../../src/engine/kernels/linear.ts";
import { POSITIONS_MEMBERS } from "../../src/engine/kernels/mean_rows.ts";
import { PATCHED_ROW_MEMBERS } from "../../src/engine/kernels/patched_attention.ts";
import { PROMPT_MEMBERS } from "../../src/engine/kernels/prompt.ts";
import { FEATURE_FLOW_MEMBERS } from "../../src/engine/kernels/feature_flow.ts";
import { FEATURE_REACH_MEMBERS } from "../../src/engine/kernels/feature_reach.ts";
import { FEATURE_SOURCES_MEMBERS } from "../../src/engine/kernels/feature_sources.ts";
import { SAE_COLUMN_MEMBERS } from "../../src/engine/kernels/sae_column.ts";
import { SAE_DECODE_MEMBERS } from "../../src/engine/kernels/sae_decode.ts";
import { ENCODE_PART_MEMBERS } from "../../src/engine/kernels/sae_encode.ts";
import { SAE_ROWS_MEMBERS } from "../../src/engine/kernels/sae_input.ts";
import { TOPK_PART_MEMBERS } from "../../src/engine/kernels/sae_topk.ts";
import { BLOCK_MEMBERS } from "../../src/engine/kernels/top_tokens.ts";
import { withGpu } from "../support/gpu.ts";
import { kernelDefinition, readShader, SHADERS } from "../support/kernel_definitions.ts";
import { bindingsOf, functionsOf, structsOf } from "../support/wgsl.ts";

const codes = new Map(SHADERS.map((stem) => [stem, readShader(stem)]));

/** What the host writes into structs of u32, by their names in the shaders. */
const HOST_MEMBERS: Record<string, readonly string[]> = {
  Prompt: PROMPT_MEMBERS,
  Rows: ROWS_MEMBERS,
  Shape: SHAPE_MEMBERS,
  Block: BLOCK_MEMBERS,
  PatchedRow: PATCHED_ROW_MEMBERS,
  Layer: ["index"],
  Head: ["index"],
  SaeRows: SAE_ROWS_MEMBERS,
  EncodePart: ENCODE_PART_MEMBERS,
  TopkPart: TOPK_PART_MEMBERS,
  SaeColumn: SAE_COLUMN_MEMBERS,
  SaeDecode: SAE_DECODE_MEMBERS,
  FeatureReach: FEATURE_REACH_MEMBERS,
  FeatureSources: FEATURE_SOURCES_MEMBERS,
  FeatureFlow: FEATURE_FLOW_MEMBERS,
  Positions: POSITIONS_MEMBERS,
};
/** What stands in several shaders, as WGSL has no way to share it. */
const SHARED = ["row_start", "sum_over_lanes", "nearness", "gelu", "gelu_new"];

for (const [stem, code] of codes) {
  Deno.test(`shaders/${stem}.wgsl is WGSL, says its formula and dispatch, and is what its twin says`, () =>
    withGpu(async ({ device }) => {
      device.pushErrorScope("validation");
      // What Deno can't read yet, as src/engine/gpu/kernel.ts says.
      const readable = code.replace("enable subgroups;\n", "\n");
      device.createShaderModule({ label: stem, code: readable });
      const error = await device.popErrorScope();
      assert.equal(error?.message, undefined);
      assert.match(
        code,
        new RegExp(`^// (${stem}|${stem.split("_")[0]}): `),
        "begins with its formula",
      );
      assert.match(code, /^\/\/ Dispatch/m);
      const definition = await kernelDefinition(stem);
      assert.equal(definition.code, code);
      const declared = definition.groups.flatMap((group, index) =>
        Object.entries(group).map(([name, access], binding) => ({
          group: index,
          binding,
          name,
          access: access.replace(/At$/, ""),
        }))
      );
      assert.deepEqual(declared, bindingsOf(code));
    }));
}

Deno.test("structs are those that the host writes, or begin as they do", () => {
  let prompts = 0;
  for (const [stem, code] of codes) {
    for (const [name, members] of structsOf(code)) {
      if (!members.every((member) => member.endsWith(": u32"))) continue;
      const host = HOST_MEMBERS[name];
      assert(host, `${stem}: the host writes no struct ${name}`);
      const names = members.map((member) => member.replace(": u32", ""));
      assert.deepEqual(names, host.slice(0, names.length), `${stem}: struct ${name}`);
      if (name === "Prompt") prompts++;
    }
  }
  assert(prompts >= 17);
});

Deno.test("functions that stand in several shaders are the same everywhere", () => {
  const found = new Map<string, { body: string; stem: string; count: number }>();
  for (const [stem, code] of codes) {
    for (const [signature, body] of functionsOf(code)) {
      if (!SHARED.includes(signature.match(/^\w+/)![0])) continue;
      const before = found.get(signature) ?? { body, stem, count: 0 };
      assert.equal(body, before.body, `${signature} of ${stem} is not that of ${before.stem}`);
      found.set(signature, { ...before, count: before.count + 1 });
    }
  }
  for (const name of SHARED) {
    const most = Math.max(
      ...found.entries().filter(([signature]) => signature.startsWith(`${name}(`))
        .map(([, { count }]) => count),
    );
    assert(most >= 2, `${name} stands in ${most} shaders`);
  }
});

Deno.test("a shader with a mistake is told from one without", () =>
  withGpu(async ({ device }) => {
    device.pushErrorScope("validation");
    device.createShaderModule({ label: "wrong", code: "fn main() { let x: u32 = 1.5; }" });
    assert.notEqual(await device.popErrorScope(), null);
  }));

Deno.test("a constant that a shader lacks is no size", () => {
  assert.equal(wgslConstant("const ROWS = 8u;\n", "ROWS"), 8);
  assert.throws(() => wgslConstant("const ROWS = 8;\n", "ROWS"), {
    name: "SyntaxError",
    message: "Cannot read a shader as it must have a const ROWS: there is none",
  });
});
