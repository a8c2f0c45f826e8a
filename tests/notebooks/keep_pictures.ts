// deno task notebooks: runs the notebooks and keeps what they put out in their files.
import { join } from "node:path";
import { withServer } from "../support/serve.ts";
import { NOTEBOOK_DIRECTORY, NOTEBOOKS, runNotebook } from "./run_notebook.ts";

await withServer(async ({ origin }) => {
  for (const name of Object.values(NOTEBOOKS)) {
    await runNotebook(name, { origin, out: join(NOTEBOOK_DIRECTORY, name) });
    console.log(`ran notebooks/${name}`);
  }
}, { args: ["--model", "bundled"] });
