/**
 * The start of `./run serve`. What it takes to download a model and to start a server, a server itself must not
 * have: each is a process of its own, the server one with exactly the permissions that its settings call for.
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { hubCache } from "../checkpoints/hub/environment.ts";
import { HubError } from "../checkpoints/hub/error.ts";
import { locateModel, ModelMissing } from "../checkpoints/hub/locate_model.ts";
import { PROJECT, projectPath } from "../project.ts";
import { LIST_CARDS } from "./cards.ts";
import { goToCaller } from "./go_to_caller.ts";
import { ownFile } from "./own_file.ts";
import { STOP_SIGNALS } from "./drain.ts";
import { servePermissions } from "./permissions.ts";
import { readablePaths } from "./readable_paths.ts";
import { runCommand } from "./run_command.ts";
import { OPEN_FILES_VARIABLE, type ServeSettings, serveSettings } from "./settings.ts";

/**
 * A young generation of 2 MiB, not 16, and a heap that is collected when it has grown by half: what a batch leaves behind
 * is collected in short pauses, and the heap stays as large as what is kept. `deno task corpus` has the same.
 */
const MEMORY_FLAGS = "--v8-flags=--max-semi-space-size=2,--heap-growing-percent=50";

async function downloadThenServe(): Promise<void> {
  const { values } = parseArgs({
    args: Deno.args,
    options: {
      download: { type: "boolean" },
      model: { type: "string", multiple: true },
      help: { type: "boolean" },
    },
    strict: false, // the server looks at the others
  });
  const isAsked = values.download ??
    ["1", "true"].includes(Deno.env.get("INFOFLOW_DOWNLOAD") ?? "");
  const models = values.model ?? (Deno.env.get("INFOFLOW_MODEL") || "gpt2").split(",");
  if (isAsked && !values.help) {
    for (const model of models as readonly string[]) await downloadIfMissing(model.trim());
  }
  Deno.exit(await runServer());
}

/** Runs the server until it ends, and passes signals on to it. */
async function runServer(): Promise<number> {
  const settings = serveSettings(Deno.args);
  const [main, worker] = ["./serve.ts", "../thread/worker.ts"].map((module) =>
    fileURLToPath(new URL(module, import.meta.url))
  );
  const caching = cacheModules(main!, worker!);
  const permissions = servePermissions(settings, {
    // Where the project, or a folder of it, is reached through a link, files are where that leads.
    weights: [await Deno.realPath(projectPath("weights")), ...await weightPaths(settings)],
    own: ownFile("tuning.json"),
  });
  const cached = await caching;
  if (!cached.success) return cached.code;
  // A server ends with this process, however that ends: with it, the pipe to its standard input is closed.
  const server = withDescriptors([
    "run",
    MEMORY_FLAGS,
    ...["--config", projectPath("deno.json")],
    ...permissions,
    main!,
    ...Deno.args,
    "--stop-with-stdin",
  ]).spawn();
  if (settings.stopWithStdin) Deno.stdin.readable.pipeTo(server.stdin).catch(() => {});
  for (const signal of STOP_SIGNALS) Deno.addSignalListener(signal, () => server.kill(signal));
  return (await server.status).code;
}

/** Downloads what modules import, which the server may not do itself; a bundle has it all. */
async function cacheModules(
  ...modules: readonly string[]
): Promise<Pick<Deno.CommandStatus, "success" | "code">> {
  if (modules.every((module) => module.endsWith(".js"))) return { success: true, code: 0 };
  const args = ["cache", "--quiet", "--frozen", "--config", projectPath("deno.json"), ...modules];
  return await new Deno.Command("deno", { args, stdin: "null" }).spawn().status;
}

/**
 * Runs Deno with as many open files as it may have, and tells it how many these are, and which graphics cards there are:
 * it can't find out itself. A server that runs out of files accepts no connection any more.
 */
function withDescriptors(args: string[]): Deno.Command {
  if (Deno.build.os === "windows") return new Deno.Command("deno", { args, stdin: "piped" });
  const script = `${LIST_CARDS}\n` + 'ulimit -n "$(ulimit -Hn)" 2>/dev/null; ' +
    `${OPEN_FILES_VARIABLE}="$(ulimit -n)" exec deno "$@"`;
  return new Deno.Command("sh", { args: ["-c", script, "serve", ...args], stdin: "piped" });
}

/** Where models, autoencoders and dashboards are that were asked for, and the hub's files. */
async function weightPaths(
  { corpus, dashboards, models, saes }: ServeSettings,
): Promise<string[]> {
  const caches = hubCaches();
  const cached = await Promise.all(
    (models.length > 0 ? models : [undefined]).map(async (model) => {
      const location = await locateModel(model, caches[0]).catch(() => undefined);
      return location?.isCached ? location.directory : undefined;
    }),
  );
  const given = [...[...models, ...saes].flatMap(pathsIn), ...dashboards];
  if (corpus !== undefined) given.push(corpus);
  const directories = [...given, ...cached.filter((it) => it !== undefined), ...caches];
  const paths = await Promise.all(directories.map(readablePaths));
  // The server may read a named directory that isn't there, so that its error can say so.
  const said = saes.filter((it) => it.includes("=")).map((it) =>
    resolve(it.replace(/^[^=]*=/, ""))
  );
  return [...new Set([...paths.flat(), ...said, ...caches])];
}

/** The parts that may be paths in `NAME=DIR`, `MODEL:DIR` and `MODEL:NAME=DIR`. */
function pathsIn(asked: string): string[] {
  return [...new Set([asked, asked.replace(/^[^=]*=/, ""), asked.replace(/^[^:]*:/, "")])];
}

/** Where the hub's files are; a user without a home has none. */
function hubCaches(): string[] {
  try {
    return [hubCache()];
  } catch {
    return [];
  }
}

/** Runs `./run weights` for a model of the hub's that isn't there. */
async function downloadIfMissing(name: string): Promise<void> {
  try {
    await locateModel(name, hubCache());
  } catch (error) {
    if (!(error instanceof ModelMissing)) throw error;
    const child = new Deno.Command("deno", {
      args: ["task", "--quiet", "weights", error.model.name],
      cwd: PROJECT,
      stdin: "null",
    }).spawn();
    const stop = (): void => child.kill("SIGTERM");
    Deno.addSignalListener("SIGTERM", stop);
    const { success } = await child.status;
    Deno.removeSignalListener("SIGTERM", stop);
    if (!success) throw new HubError(`Cannot serve ${name} as it could not be downloaded`);
  }
}

if (import.meta.main) {
  goToCaller();
  await runCommand(downloadThenServe);
}
