import type { KernelDefinition } from "../../src/engine/gpu/define_kernel.ts";
import type { GroupSpec } from "../../src/engine/gpu/kernel.ts";

const ROOT = new URL("../../", import.meta.url);

/** A kernel of any sizes and work. */
export type AnyKernelDefinition = KernelDefinition<object, readonly GroupSpec[], unknown>;

/** The stems of all shaders. */
export const SHADERS: readonly string[] = Array.from(
  Deno.readDirSync(new URL("shaders/", ROOT)),
  ({ name }) => name.replace(/\.wgsl$/, ""),
).sort();

/** The text of a shader. */
export function readShader(stem: string): string {
  return Deno.readTextFileSync(new URL(`shaders/${stem}.wgsl`, ROOT));
}

/**
 * The declaration in a shader's twin.
 *
 * @throws {Error} If there is none.
 */
export async function kernelDefinition(stem: string): Promise<AnyKernelDefinition> {
  const path = `src/engine/kernels/${stem}.ts`;
  const twin: Record<string, unknown> = await import(new URL(path, ROOT).href);
  const declared = Object.values(twin).map((it) => (it as { kernel?: unknown }).kernel ?? it);
  const found = declared.find((it) => (it as AnyKernelDefinition).name === stem);
  if (!found) throw new Error(`${path} declares no kernel of this name`);
  return found as AnyKernelDefinition;
}
