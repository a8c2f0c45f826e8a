import { createHash } from "node:crypto";
import { dirname } from "node:path";
import type { KeptChoices } from "../engine/tuning.ts";

/** The file of the choices, and whether to make them again. */
export interface TuningFile {
  /** A JSON file; without one the choice is made by the kind of the adapter. */
  readonly file?: string | undefined;
  readonly redo?: boolean | undefined;
}

type Choices = Record<string, Record<string, string>>;

/** Choices in a JSON file. Where it can't be written, the next start measures again. */
export function choicesIn(file: string): KeptChoices {
  return {
    read: async (device) => (await readAll(file))[keyOf(device)] ?? {},
    keep: async (device, choices) => {
      const all = await readAll(file);
      const key = keyOf(device);
      const merged = { ...all, [key]: { ...all[key], ...choices } };
      try {
        await Deno.mkdir(dirname(file), { recursive: true });
        await Deno.writeTextFile(`${file}.new`, JSON.stringify(merged, null, 2) + "\n");
        await Deno.rename(`${file}.new`, file);
      } catch { /* then the next start measures again */ }
    },
  };
}

function keyOf(device: string): string {
  return createHash("sha256").update(device).digest("hex").slice(0, 16);
}

/** A file that is missing, or is not ours, holds no choices. */
async function readAll(file: string): Promise<Choices> {
  try {
    const value: unknown = JSON.parse(await Deno.readTextFile(file));
    return typeof value === "object" && value !== null ? value as Choices : {};
  } catch {
    return {};
  }
}
