import { join, resolve } from "node:path";
import { isModelFile } from "../checkpoints/model_files.ts";

/**
 * What a server must be allowed to read to read a directory: the directory as it was given, where that leads, and what
 * the links in it lead to, as far as they are files of a model. Hugging Face's cache is full of such links.
 *
 * @returns Nothing if there is no such directory.
 */
export async function readablePaths(directory: string): Promise<string[]> {
  const real = await Deno.realPath(directory).catch(() => undefined);
  if (real === undefined || !(await Deno.stat(real)).isDirectory) return [];
  const paths = [resolve(directory), real];
  for await (const { name, isSymlink } of Deno.readDir(real)) {
    if (!isSymlink || !isModelFile(name)) continue;
    const target = await Deno.realPath(join(real, name)).catch(() => undefined);
    if (target !== undefined) paths.push(target);
  }
  return [...new Set(paths)];
}
