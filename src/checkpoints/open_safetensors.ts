import { open, SafetensorsError, type SafetensorsFile } from "@infoflow/safetensors";
import { checkIsFile } from "./read_model_file.ts";

/**
 * Opens a file of tensors. Its header is read.
 *
 * @throws {Error} If it is damaged, or no file, with its path; what Deno throws if it is missing.
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  checkIsFile(path, await Deno.stat(path));
  try {
    return await open(path);
  } catch (cause) {
    if (!(cause instanceof SafetensorsError)) throw cause;
    throw new Error(`Cannot load ${path} as it is damaged: ${cause.message} (${cause.code})`, {
      cause,
    });
  }
}
