import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PYTHON } from "../support/python.ts";

/** The notebooks: one for each kernel, and one that reads dashboards. */
export const NOTEBOOKS = {
  python: "info_flow.ipynb",
  deno: "info_flow_deno.ipynb",
  dashboards: "dashboards.ipynb",
} as const;

/** Where they are. */
export const NOTEBOOK_DIRECTORY = new URL("../../notebooks/", import.meta.url).pathname;

/** A notebook, as its file has it, as far as it is looked at here. */
export interface Notebook {
  readonly cells: readonly {
    readonly cell_type: "code" | "markdown";
    readonly source: string | readonly string[];
    readonly outputs?: readonly Output[];
  }[];
}

/** What a cell put out. */
export interface Output {
  readonly output_type: string;
  // deno-lint-ignore no-explicit-any -- pictures are text, or JSON of plotly
  readonly data?: Readonly<Record<string, any>>;
}

/** Reads a notebook's file. */
export async function readNotebook(path: string): Promise<Notebook> {
  return JSON.parse(await Deno.readTextFile(path));
}

/**
 * Runs a notebook in its own kernel against a server and writes it, with what it put out, to a file.
 *
 * @throws {Error} With what a cell said, if it fails.
 */
export async function runNotebook(
  name: string,
  { origin, out }: { origin: string; out: string },
): Promise<void> {
  const home = await Deno.makeTempDir({ prefix: "kernels" });
  try {
    await installDenoKernel(home);
    await run(PYTHON, [
      new URL("./execute.py", import.meta.url).pathname,
      join(NOTEBOOK_DIRECTORY, name),
      out,
    ], {
      INFOFLOW_URL: origin,
      INFOFLOW_DASHBOARDS: fileURLToPath(
        new URL("../../weights/bundled/sae/res-4/dashboards", import.meta.url),
      ),
      PYTHONPATH: fileURLToPath(new URL("../../clients/python/src/", import.meta.url)),
      JUPYTER_PATH: join(home, "jupyter"),
      PLOTLY_RENDERER: "plotly_mimetype+png",
    });
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

/** Deno puts its kernel into the user's data directory, wherever that is. */
async function installDenoKernel(home: string): Promise<void> {
  await run(Deno.execPath(), ["jupyter", "--install"], { HOME: home, XDG_DATA_HOME: home });
}

async function run(program: string, args: string[], env: Record<string, string>): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, env }).output();
  if (!success) throw new Error(`${program} ${args[0]}: ${new TextDecoder().decode(stderr)}`);
}
