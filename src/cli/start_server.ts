import { GRAPHQL_PATH, pathOf } from "../server/links/paths.ts";
import { listen } from "../server/http/listen.ts";
import type { LoadedModel } from "../server/answers/loaded_model.ts";
import { loadModels } from "../server/serving/load_models.ts";
import type { FinishedRun } from "../server/corpus/finished_run.ts";
import type { InfoflowServer } from "../server/serving/server.ts";
import { VERSION } from "../version.ts";
import { Drain } from "./drain.ts";
import { helpOf } from "./flags.ts";
import { showLoadBars } from "./load_bars.ts";
import { LineWriter } from "./line_writer.ts";
import { ownFile } from "./own_file.ts";
import { SERVE_FLAGS } from "./serve_flags.ts";
import { isLoopback, LEAST_TOKEN, type ServeSettings, serveSettings } from "./settings.ts";

/**
 * Starts the server. The engine's thread begins to load the models, and meanwhile this one loads the server's modules and
 * takes the port; a port that is taken ends the process before the models are there.
 */
export async function serve(): Promise<void> {
  const settings = serveSettings(Deno.args);
  if (settings.help) {
    console.log(helpOf("./run serve [flags]", SERVE_FLAGS));
    Deno.exit(); // the engine's thread waits
  }

  const { publicUrl, policy } = settings;
  const lines = new LineWriter(Deno.stderr);
  const made: { server?: InfoflowServer } = {};
  const told = Promise.withResolvers<void>();
  const models = loadModels({
    asked: settings.models,
    cacheBytes: settings.cacheBytes,
    weightType: settings.weightType,
    saes: settings.saes,
    saeBytes: settings.saeBytes,
    dashboards: settings.dashboards,
    mostWaiting: settings.mostWaiting,
    adapter: settings.adapter,
    tuning: { file: ownFile("tuning.json"), redo: settings.tune },
    verifiedFile: ownFile("verified.json"),
    fingerprintsFile: ownFile("fingerprints.json"),
    progress: showLoadBars(),
    onBegin: told.resolve,
    onNews: (news) => made.server?.log.write("engine", { news }),
  });
  models.catch(told.resolve); // what went wrong is thrown where it is waited for
  await told.promise; // loading modules keeps this thread from telling the other one
  const { InfoflowServer } = await import("../server/serving/server.ts");
  const corpus = await corpusOf(settings);
  const server = made.server = new InfoflowServer({
    models,
    corpus,
    publicUrl,
    policy,
    lines: settings.lines,
    writeLine: lines.write,
    droppedLines: () => lines.dropped,
  });
  const listener = await listen(server, settings);
  const drain = new Drain(server, listener, (ms) => lines.flush(ms));
  drain.onSignals();
  if (settings.stopWithStdin) drain.onEndOfStdin();
  const loaded = await server.load();

  const { hostname, port } = listener;
  const origin = `http://${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
  for (const line of [...reachLines(settings), ...startLines(loaded, origin)]) {
    console.log(line);
  }
}

/** The finished run that is shown, if one is. */
async function corpusOf({ corpus }: ServeSettings): Promise<FinishedRun | undefined> {
  if (corpus === undefined) return undefined;
  const { readFinishedRun } = await import("../server/corpus/finished_run.ts");
  return await readFinishedRun(corpus);
}

function startLines(models: readonly LoadedModel[], origin: string): string[] {
  const { device } = models[0]!.engine.info;
  const kind = device.isFallback ? "software adapter" : "GPU";
  const places = device.pciAddresses.length > 0 ? ` at ${device.pciAddresses.join(" or ")}` : "";
  const kernels = new Set(models.flatMap(({ engine }) => Object.values(engine.info.linears)));
  const lines = [
    `Infoflow ${VERSION}`,
    ...models.flatMap(modelLines),
    ...saeLines(models),
    `  adapter   ${device.description || device.vendor || "unnamed"}, ${kind}${places}; ` +
    [...kernels].join(", "),
    `  page      ${origin}/`,
    `  GraphiQL  ${origin}${GRAPHQL_PATH}`,
    `  Arrow     ${origin}${pathOf("infoFlow")}?prompt=Hello+world`,
  ];
  if (models.length === 1 && models[0]!.name === "bundled") {
    lines.push("The bundled model is a small one. For GPT-2 itself: ./run weights gpt2");
  }
  return lines;
}

/** The autoencoders whose features can be asked about. */
function saeLines(models: readonly LoadedModel[]): string[] {
  const saes = models.flatMap(({ name, engine, isFurther }) =>
    engine.info.saes.map((sae) => isFurther ? `${name}:${sae.name}` : sae.name)
  );
  return saes.length > 0 ? [`  features  ${saes.join(", ")}`] : [];
}

function modelLines({ name, engine, note }: LoadedModel, index: number): string[] {
  const { architecture: { layers, heads, channels, context }, fingerprint, weightType } =
    engine.info;
  const kept = weightType === "f32" ? "" : ", weights of float16";
  const line =
    `${index === 0 ? "  model   " : "          "}  ${name}: ${layers} layers, ${heads} heads, ` +
    `${channels} channels, prompts to ${context} tokens (${fingerprint.slice(0, 8)}${kept})`;
  return note === undefined ? [line] : [line, `            ${name}: ${note}`];
}

/** Warnings for a server that other machines can reach. */
function reachLines({ host, policy }: ServeSettings): string[] {
  if (isLoopback(host)) return policy.token === undefined ? [] : guessable(policy.token);
  const who = policy.token === undefined
    ? "everybody who reaches it may ask, and keep the device busy"
    : "anyone with the token may use it; without TLS, the token can be read on the network";
  return [
    `Listening on ${host}, not on loopback alone: ${who}`,
    "docs/operating.md says how to put nginx or Caddy in front",
  ];
}

/** Warns of a short token, which is soon guessed. */
function guessable(token: string): string[] {
  if (token.length >= LEAST_TOKEN) return [];
  return [
    `The token has ${token.length} characters and can be guessed: choose ${LEAST_TOKEN} or more`,
  ];
}
