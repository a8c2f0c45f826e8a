import type { SaeLocation } from "../../checkpoints/hub/locate_sae.ts";
import { readIfThere, statIfThere } from "../../files.ts";
import { Dashboards } from "../dashboards/dashboards.ts";

/**
 * Finds the dashboards of a model's autoencoders: those that were asked for, and those beside an autoencoder's own files.
 *
 * @param directories What `deno task dashboards` wrote to.
 * @throws {Error} If one of them holds none, or is of an autoencoder that is not served.
 */
export async function findDashboards(
  saes: readonly SaeLocation[],
  directories: readonly string[],
): Promise<ReadonlyMap<string, Dashboards>> {
  const found = new Map<string, Dashboards>();
  for (const { name, directory } of saes) {
    const own = `${directory}/dashboards`;
    if (await isThere(`${own}/features.parquet`)) found.set(name, new Dashboards(own));
  }
  for (const directory of directories) {
    const text = await readIfThere(`${directory}/_infoflow.json`);
    const sae = text === undefined ? undefined : saeOf(text);
    if (sae === undefined || !await isThere(`${directory}/features.parquet`)) {
      throw new Error(
        `Cannot show dashboards as ${directory} has none that are done: \`deno task dashboards\` makes them`,
      );
    }
    if (saes.some(({ name }) => name === sae)) found.set(sae, new Dashboards(directory));
  }
  return found;
}

function saeOf(manifest: string): string | undefined {
  const { options } = JSON.parse(manifest) as { options?: { sae?: unknown } };
  return typeof options?.sae === "string" ? options.sae : undefined;
}

/** A server may look at the directories only that were asked for when it was started: others are none to it. */
async function isThere(path: string): Promise<boolean> {
  try {
    return (await statIfThere(path))?.isFile === true;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return false;
    throw error;
  }
}
