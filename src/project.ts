import { fileURLToPath } from "node:url";

/** Where the project's files are: `src/`, `weights/` and the others. */
export const PROJECT: URL = new URL("../", import.meta.url);

/** The path of a file or folder of the project, such as `weights`. */
export function projectPath(name: string): string {
  return fileURLToPath(new URL(name, PROJECT));
}
