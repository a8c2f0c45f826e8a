import {
  type Aggregation,
  AGGREGATIONS,
  BOS_POLICIES,
  type BosPolicy,
  type Head,
} from "../requests/flow_options.ts";
import { FLOW_METHODS, type Method } from "../requests/flow_methods.ts";
import { InfoFlow } from "../server/answers/info_flow.ts";
import { read } from "../server/answers/reading.ts";
import { WEIGHTS_FLAG, weightType } from "./weight_type.ts";
import { loadModels } from "../server/serving/load_models.ts";
import { type Flag, helpOf, parseFlags, UsageError } from "./flags.ts";
import { csvOf, jsonOf } from "./flow_formats.ts";
import { drawFlow } from "./flow_drawing.ts";
import { showLoadBars } from "./load_bars.ts";
import { ownFile } from "./own_file.ts";
import { goToCaller } from "./go_to_caller.ts";
import { runCommand } from "./run_command.ts";

const METHODS = Object.keys(FLOW_METHODS);

const FLAGS = {
  "by-layer": { type: "boolean", help: "a matrix for each layer" },
  aggregation: { type: "string", value: "NAME", help: "MEAN (default), NOTEBOOK or ROLLOUT" },
  bos: { type: "string", value: "POLICY", help: "DROP (default), KEEP or NONE" },
  ids: { type: "string", value: "N,N,…", help: "token ids instead of a prompt, with BOS" },
  "special-tokens": {
    type: "boolean",
    help: "read special tokens written in the prompt as tokens",
  },
  method: { type: "string", value: "NAME", help: `${METHODS.join(", ")}; ATTENTION by default` },
  layers: { type: "string", value: "L,L,…", help: "use only these layers" },
  heads: { type: "string", value: "H,H,…", help: "use only these heads of them" },
  ablate: { type: "string", value: "L.H,…", help: "heads to ablate, such as 2.3,5.1" },
  numbers: { type: "boolean", help: "percentages in the coloured cells" },
  csv: { type: "boolean", help: "print CSV, draw nothing" },
  json: { type: "boolean", help: "print JSON, draw nothing" },
  out: { type: "string", value: "FILE.arrow", help: "write Arrow to this file, draw nothing" },
  model: {
    type: "string",
    value: "NAME|DIR",
    help: "model to run, gpt2 if it is there and bundled otherwise",
  },
  weights: WEIGHTS_FLAG,
  help: { type: "boolean", help: "this text" },
} as const satisfies Record<string, Flag>;

/** Prints the flow of one prompt, or writes it to a file. */
async function flow(): Promise<void> {
  const { values, positionals } = parseFlags(Deno.args, FLAGS);
  if (values.get("help")) return console.log(helpOf('./run flow "PROMPT" [flags]', FLAGS));
  const ids = idsOf(values.get("ids") as string | undefined);
  const prompt = await promptOf(positionals, ids !== undefined);
  const specialTokens = values.get("special-tokens") === true;
  const options = {
    byLayer: values.get("by-layer") === true,
    aggregation: choice(values.get("aggregation"), AGGREGATIONS, "aggregation") as Aggregation,
    bos: choice(values.get("bos"), BOS_POLICIES, "bos") as BosPolicy,
    method: choice(values.get("method"), METHODS, "method") as Method,
    layers: numbersOf("layers", values.get("layers") as string | undefined),
    heads: numbersOf("heads", values.get("heads") as string | undefined),
    ablate: headsOf(values.get("ablate") as string | undefined),
  };

  const asked = values.get("model") as string | undefined;
  const { models } = await loadModels({
    asked: asked ? [asked] : [],
    cacheBytes: 0,
    weightType: weightType(values.get("weights") as string | undefined),
    tuning: { file: ownFile("tuning.json") },
    verifiedFile: ownFile("verified.json"),
    fingerprintsFile: ownFile("fingerprints.json"),
    progress: showLoadBars(),
  });
  const { name, note } = models[0]!;
  if (note !== undefined) console.error(`${name}: ${note}`);
  const infoFlow = new InfoFlow(
    read(models, { prompt, ids, specialTokens, bos: options.bos }),
    options,
  );
  const out = values.get("out") as string | undefined;
  if (out !== undefined) await write(infoFlow, out);
  else if (values.get("csv")) console.log(await csvOf(infoFlow));
  else if (values.get("json")) console.log(await jsonOf(infoFlow));
  else await drawFlow(infoFlow, values.get("numbers") === true);
  Deno.exit(0); // the engine's worker would keep the process alive
}

/** The prompt as it is given, or from a pipe. */
async function promptOf(given: readonly string[], hasIds: boolean): Promise<string | undefined> {
  const [prompt, ...others] = given;
  const isPiped = prompt === "-" || prompt === undefined && !hasIds && !Deno.stdin.isTerminal();
  if (isPiped && others.length === 0) {
    const text = (await new Response(Deno.stdin.readable).text()).replace(/\r?\n$/, "");
    if (text !== "" || prompt === "-") return text;
  }
  if ((prompt === undefined) === hasIds && others.length === 0) return prompt;
  throw new UsageError('flow takes one prompt: write it in quotes, as in flow "Hello world"');
}

function idsOf(text: string | undefined): number[] | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}(,\d{1,9})*$/.test(text)) return text.split(",").map(Number);
  throw new UsageError(`--ids must be numbers separated by commas: current value is ${text}`);
}

function choice(value: unknown, values: readonly string[], name: string): string {
  if (value === undefined) return values[0]!;
  if (values.includes(value as string)) return value as string;
  throw new UsageError(`--${name} must be one of ${values.join(", ")}: current value is ${value}`);
}

async function write(infoFlow: InfoFlow, path: string): Promise<void> {
  const bytes = await infoFlow.arrow();
  await Deno.writeFile(path, bytes);
  console.error(
    `wrote ${infoFlow.shape.join(" x ")} (${infoFlow.axes.join(", ")}) to ${path}, ` +
      `${bytes.length.toLocaleString("en")} bytes`,
  );
}

/** Positions, layers or heads, separated by commas. */
function numbersOf(name: string, text: string | undefined): number[] | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,6}(,\d{1,6})*$/.test(text)) return text.split(",").map(Number);
  throw new UsageError(
    `--${name} must be numbers separated by commas: current value is ${text}`,
  );
}

function headsOf(text: string | undefined): Head[] | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,4}\.\d{1,4}(,\d{1,4}\.\d{1,4})*$/.test(text)) {
    throw new UsageError(
      `--ablate must be heads such as 2.3,5.1, each a layer and a head: current value is ${text}`,
    );
  }
  return text.split(",").map((pair) => {
    const [layer = 0, head = 0] = pair.split(".").map(Number);
    return { layer, head };
  });
}

if (import.meta.main) {
  goToCaller();
  await runCommand(flow);
}
