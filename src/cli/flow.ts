import {
  type Aggregation,
  AGGREGATIONS,
  BOS_POLICIES,
  type BosPolicy,
} from "../requests/flow_options.ts";
import { InfoFlow } from "../server/answers/info_flow.ts";
import { read } from "../server/answers/reading.ts";
import { loadModels } from "../server/serving/load_models.ts";
import { type Flag, helpOf, parseFlags, UsageError } from "./flags.ts";
import { type Colours, drawHeatmap, drawLegend } from "./heatmap.ts";
import { showLoadBars } from "./load_bars.ts";
import { ownFile } from "./own_file.ts";
import { goToCaller } from "./go_to_caller.ts";
import { runCommand } from "./run_command.ts";

const FLAGS = {
  "by-layer": { type: "boolean", help: "a matrix for each layer" },
  aggregation: { type: "string", value: "NAME", help: "MEAN (default), NOTEBOOK or ROLLOUT" },
  bos: { type: "string", value: "POLICY", help: "DROP (default), KEEP or NONE" },
  ids: { type: "string", value: "N,N,…", help: "token ids instead of a prompt, BOS among them" },
  "special-tokens": { type: "boolean", help: "special tokens that the prompt spells are meant" },
  out: { type: "string", value: "FILE.arrow", help: "write Arrow there, draw nothing" },
  model: {
    type: "string",
    value: "NAME|DIR",
    help: "model to run, gpt2 if it is there and bundled otherwise",
  },
  help: { type: "boolean", help: "this text" },
} as const satisfies Record<string, Flag>;

/** Prints the flow of one prompt, or writes it to a file. */
async function flow(): Promise<void> {
  const { values, positionals } = parseFlags(Deno.args, FLAGS);
  if (values.get("help")) return console.log(helpOf('deno task flow "PROMPT" [flags]', FLAGS));
  const [prompt, ...others] = positionals;
  const ids = idsOf(values.get("ids") as string | undefined);
  if ((prompt === undefined) === (ids === undefined) || others.length > 0) {
    throw new UsageError('flow takes one prompt: write it in quotes, as in flow "Hello world"');
  }
  const specialTokens = values.get("special-tokens") === true;
  const options = {
    byLayer: values.get("by-layer") === true,
    aggregation: choice(values.get("aggregation"), AGGREGATIONS, "aggregation") as Aggregation,
    bos: choice(values.get("bos"), BOS_POLICIES, "bos") as BosPolicy,
  };

  const asked = values.get("model") as string | undefined;
  const { models } = await loadModels({
    asked: asked ? [asked] : [],
    cacheBytes: 0,
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
  if (out === undefined) await draw(infoFlow);
  else await write(infoFlow, out);
  Deno.exit(0); // the engine's worker would keep the process alive
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

async function draw(infoFlow: InfoFlow): Promise<void> {
  const { flow } = await infoFlow.compute();
  const labels = infoFlow.tokens.map(({ text }) => text);
  const size = labels.length ** 2;
  const colours = terminalColours();
  const columns = Deno.stdout.isTerminal() ? Deno.consoleSize().columns : 160;
  for (let matrix = 0; matrix * size < flow.length; matrix++) {
    if (infoFlow.axes.includes("layer")) console.log(`layer ${matrix}`);
    const numbers = flow.subarray(matrix * size, (matrix + 1) * size);
    console.log(drawHeatmap(numbers, { labels, columns, colours }) + "\n");
  }
  console.log(drawLegend(colours));
}

/** By the conventions of NO_COLOR and COLORTERM. */
function terminalColours(): Colours {
  if (Deno.env.get("NO_COLOR") || !Deno.stdout.isTerminal()) return "none";
  if (/^(truecolor|24bit)$/.test(Deno.env.get("COLORTERM") ?? "")) return "truecolor";
  return /256color/.test(Deno.env.get("TERM") ?? "") ? "256" : "none";
}

if (import.meta.main) {
  goToCaller();
  await runCommand(flow);
}
