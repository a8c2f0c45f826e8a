/**
 * The start of `deno task serve`. A download needs rights that a server must not have, so it runs in a process of its
 * own; and the right to start that process is given up before any of the server's code is loaded.
 */
import { parseArgs } from "node:util";
import { hubCache } from "../hub/environment.ts";
import { HubError } from "../hub/error.ts";
import { locateModel, ModelMissing } from "../model/locate.ts";
import { runCommand } from "./run_command.ts";

const ROOT = new URL("../../", import.meta.url);

async function downloadThenServe(): Promise<void> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      download: { type: "boolean" },
      model: { type: "string" },
      help: { type: "boolean" },
    },
    strict: false, // the server looks at the others
  });
  const isAsked = values.download ??
    ["1", "true"].includes(Deno.env.get("INFOFLOW_DOWNLOAD") ?? "");
  const model = values.model ?? (Deno.env.get("INFOFLOW_MODEL") || "gpt2");
  if (isAsked && !values.help) await downloadIfMissing(String(model));
  await Deno.permissions.revoke({ name: "run" });
  const { serve } = await import("./serve.ts");
  await serve();
}

/** Runs `deno task weights` for a model of the hub's that isn't there. */
async function downloadIfMissing(name: string): Promise<void> {
  try {
    await locateModel(name, hubCache());
  } catch (error) {
    if (!(error instanceof ModelMissing)) throw error;
    const child = new Deno.Command("deno", {
      args: ["task", "--quiet", "weights", name],
      cwd: ROOT,
      stdin: "null",
    }).spawn();
    const stop = (): void => child.kill("SIGTERM");
    Deno.addSignalListener("SIGTERM", stop);
    const { success } = await child.status;
    Deno.removeSignalListener("SIGTERM", stop);
    if (!success) throw new HubError(`Cannot serve ${name} as it could not be downloaded`);
  }
}

if (import.meta.main) await runCommand(downloadThenServe);
