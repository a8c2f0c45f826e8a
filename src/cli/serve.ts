import { GRAPHQL_PATH, pathOf } from "../server/links/paths.ts";
import { makeApp } from "../server/http/app.ts";
import type { LoadedModel } from "../server/answers/loaded_model.ts";
import { makeLog } from "../server/observe/log.ts";
import { VERSION } from "../version.ts";
import { Drain } from "./drain.ts";
import { helpOf } from "./flags.ts";
import { type LoadedModels, loadModels } from "./load_models.ts";
import { runCommand } from "./run_command.ts";
import { isLoopback, SERVE_FLAGS, type ServeSettings, serveSettings } from "./settings.ts";

/** Starts the server: takes the port first, then loads the model, so that nobody waits for a port that is taken. */
export async function serve(): Promise<void> {
  const settings = serveSettings(Deno.args);
  if (settings.help) return console.log(helpOf("deno task serve [flags]", SERVE_FLAGS));

  const loaded: { all?: LoadedModels } = {};
  const { publicUrl, policy, lines } = settings;
  const stderr = (line: string): void => console.error(line);
  const log = makeLog(lines.format, stderr);
  const drain = new Drain(log, () => loaded.all?.worker);
  const app = makeApp({
    models: () => loaded.all?.models ?? [],
    publicUrl,
    policy,
    lines,
    log: stderr,
    isDraining: () => drain.isDraining,
  });
  const server = listen(settings, (request) => app.fetch(request));
  drain.onSignals(server);

  const { models } = loaded.all = await loadModels({
    asked: settings.models,
    cacheBytes: settings.cacheBytes,
    mostWaiting: settings.mostWaiting,
    tune: settings.tune,
    onNews: (news) => log.write("engine", { news }),
  });

  const { hostname, port } = server.addr;
  const origin = `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  for (const line of [...reachLines(settings), ...startLines(models, origin)]) {
    console.log(line);
  }
}

function listen(
  { host, port }: ServeSettings,
  handle: (request: Request) => Response | Promise<Response>,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve({ hostname: host, port, onListen: () => {} }, handle);
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new Error(
        `Cannot listen on ${host}:${port} as another program does: choose another --port, or 0 for a free one`,
      );
    }
    if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.AddrNotAvailable) {
      throw new Error(`Cannot listen on ${host}:${port}: ${error.message}`);
    }
    throw error;
  }
}

function startLines(models: readonly LoadedModel[], origin: string): string[] {
  const { device } = models[0]!.engine.info;
  const kind = device.isFallback ? "software adapter" : "GPU";
  const kernels = new Set(models.flatMap(({ engine }) => Object.values(engine.info.linears)));
  const lines = [
    `Infoflow ${VERSION}`,
    ...models.map(modelLine),
    `  adapter   ${device.description || device.vendor || "unnamed"}, ${kind}; ` +
    [...kernels].join(", "),
    `  page      ${origin}/`,
    `  GraphiQL  ${origin}${GRAPHQL_PATH}`,
    `  Arrow     ${origin}${pathOf("infoFlow")}?prompt=Hello+world`,
  ];
  if (models.length === 1 && models[0]!.name === "bundled") {
    lines.push("The bundled model is a small one. For GPT-2 itself: deno task weights gpt2");
  }
  return lines;
}

function modelLine({ name, engine }: LoadedModel, index: number): string {
  const { architecture: { layers, heads, channels, context }, fingerprint } = engine.info;
  return `${
    index === 0 ? "  model   " : "          "
  }  ${name}: ${layers} layers, ${heads} heads, ` +
    `${channels} channels, prompts to ${context} tokens (${fingerprint.slice(0, 8)})`;
}

/** What it means that other machines can reach the server. */
function reachLines({ host, policy }: ServeSettings): string[] {
  if (isLoopback(host)) return [];
  const who = policy.token === undefined
    ? "everybody who reaches it may ask, and keep the device busy"
    : "whoever has the token may ask; without TLS, it can be read on the way";
  return [
    `Listening on ${host}, not on loopback alone: ${who}`,
    "docs/operating.md says how to put nginx or Caddy in front",
  ];
}

if (import.meta.main) await runCommand(serve);
