import type { Access } from "../../src/engine/gpu/kernel.ts";

/** A binding of a shader, as it stands there: what the host calls its `At` kinds is the same to it. */
export interface WgslBinding {
  readonly group: number;
  readonly binding: number;
  readonly name: string;
  readonly access: Access;
}

const BUFFERS: Record<string, Access> = {
  "uniform": "uniform",
  "storage, read": "read",
  "storage, read_write": "readWrite",
};
const TEXTURES: Record<string, Access> = {
  "texture_storage_2d<rgba32float, read>": "readTexture",
  "texture_storage_2d<rgba32float, write>": "writeTexture",
  "texture_storage_2d_array<rgba32float, read>": "readTextures",
  "texture_storage_2d_array<rgba32float, write>": "writeTextures",
};

/** The bindings of a shader, in their order. */
export function bindingsOf(code: string): WgslBinding[] {
  const lines = code.matchAll(/^@group\((\d)\) @binding\((\d)\) var(?:<(.*?)>)? (\w+): (.*);$/gm);
  return Array.from(lines, ([, group, binding, space, name, type]) => ({
    group: Number(group),
    binding: Number(binding),
    name: name!,
    access: (space ? BUFFERS[space] : TEXTURES[type!])!,
  }));
}

/** The members of each struct of a shader, such as `tokens: u32`. */
export function structsOf(code: string): Map<string, string[]> {
  const structs = withoutComments(code).matchAll(/struct (\w+) \{([^}]*)\}/g);
  return new Map(Array.from(structs, ([, name, body]) => [
    name!,
    body!.split(",").map((member) => member.trim()).filter((member) => member !== ""),
  ]));
}

/** The bodies of a shader's functions, without comments, by their signatures. */
export function functionsOf(code: string): Map<string, string> {
  const functions = withoutComments(code).matchAll(/^fn (.*) \{\n([\s\S]*?)^\}/gm);
  return new Map(Array.from(functions, ([, signature, body]) => [signature!, body!]));
}

function withoutComments(code: string): string {
  return code.replaceAll(/ *\/\/.*/g, "");
}
