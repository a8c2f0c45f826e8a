import assert from "node:assert/strict";
import type { KernelDefinition } from "../../src/engine/gpu/define_kernel.ts";
import { wgslConstant } from "../../src/engine/gpu/wgsl_constant.ts";
import type { GroupSpec } from "../../src/engine/gpu/kernel.ts";
import { ROWS_MEMBERS, SHAPE_MEMBERS } from "../../src/engine/kernels/linear.ts";
import { PATCHED_ROW_MEMBERS } from "../../src/engine/kernels/patched_attention.ts";
import { PROMPT_MEMBERS } from "../../src/engine/kernels/prompt.ts";
import { SAE_JOB_MEMBERS } from "../../src/engine/kernels/sae_encode.ts";
import { SAE_ROWS_MEMBERS } from "../../src/engine/kernels/sae_input.ts";
import { TOPK_JOB_MEMBERS } from "../../src/engine/kernels/sae_topk.ts";
import { BLOCK_MEMBERS } from "../../src/engine/kernels/top_tokens.ts";
import { withGpu } from "../support/gpu.ts";
import { bindingsOf, functionsOf, structsOf } from "../support/wgsl.ts";

const ROOT = new URL("../../", import.meta.url);
const stems = Array.from(
  Deno.readDirSync(new URL("shaders/", ROOT)),
  ({ name }) => name.replace(/\.wgsl$/, ""),
).sort();
const codes = new Map(
  stems.map((stem) => [stem, Deno.readTextFileSync(new URL(`shaders/${stem}.wgsl`, ROOT))]),
);

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
  SaeJob: SAE_JOB_MEMBERS,
  TopkJob: TOPK_JOB_MEMBERS,
};
/** What stands in several shaders, as WGSL has no way to share it. */
const SHARED = ["row_start", "sum_over_lanes", "nearness", "gelu", "gelu_new"];

type Definition = KernelDefinition<unknown, readonly GroupSpec[], unknown>;

/** The declaration in a shader's twin. */
async function definitionOf(stem: string): Promise<Definition> {
  const twin: Record<string, unknown> = await import(
    new URL(`src/engine/kernels/${stem}.ts`, ROOT).href
  );
  const declared = Object.values(twin).map((it) => (it as { kernel?: unknown }).kernel ?? it);
  const found = declared.find((it) => (it as Definition).name === stem);
  assert(found, `src/engine/kernels/${stem}.ts declares no kernel of this name`);
  return found as Definition;
}

for (const [stem, code] of codes) {
  Deno.test(`shaders/${stem}.wgsl is WGSL, says its formula and dispatch, and is what its twin says`, () =>
    withGpu(async ({ device }) => {
      device.pushErrorScope("validation");
      device.createShaderModule({ label: stem, code });
      const error = await device.popErrorScope();
      assert.equal(error?.message, undefined);
      assert.match(
        code,
        new RegExp(`^// (${stem}|${stem.split("_")[0]}): `),
        "begins with its formula",
      );
      assert.match(code, /^\/\/ Dispatch/m);
      const definition = await definitionOf(stem);
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
