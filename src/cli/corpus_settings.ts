import { CORPUS_FORMATS, type CorpusFormat } from "../corpus/input/formats.ts";
import type { WeightType } from "../requests/weight_type.ts";
import { type LinkParameter, linkParameters } from "../server/links/link_parameters.ts";
import {
  BATCH_FIELDS,
  BATCH_LAYOUTS,
  type BatchField,
  type BatchLayout,
} from "../server/batch/batch_fields.ts";
import { kindOf } from "../server/links/paths.ts";
import { readLink } from "../server/links/read_link.ts";
import { isMatrixField } from "../server/schema.ts";
import { WEIGHTS_FLAG, weightType } from "./weight_type.ts";
import { type Flag, helpOf, type Parsed, parseFlags, UsageError, wholeNumber } from "./flags.ts";
import { ADAPTER_FLAG, STOP_WITH_STDIN_FLAG } from "./serve_flags.ts";

/** What a corpus can be asked, by its name in commands: fields of the schema, and statistics. */
const CORPUS_FIELDS: Readonly<Record<string, BatchField | undefined>> = {
  "head-statistics": undefined,
  dashboards: undefined,
  ...Object.fromEntries(BATCH_FIELDS.map((field) => [kindOf(field), field])),
};

const FLAGS = {
  model: {
    type: "string",
    value: "NAME|DIR",
    help: "model to run, gpt2 if it is there and bundled otherwise",
  },
  column: {
    type: "string",
    value: "NAME",
    help: "column of the prompts; `prompt`, or `ids` of token ids, by default",
  },
  format: {
    type: "string",
    value: "NAME",
    help: `what the input is, where its name doesn't tell: ${CORPUS_FORMATS.join(", ")}`,
  },
  shard: {
    type: "string",
    value: "I/N",
    help: "make only every N-th part, from the I-th on: N such runs make one",
  },
  "part-rows": {
    type: "string",
    value: "N",
    help: "rows of a part, 8192 of statistics and 1024 of others by default",
  },
  weights: WEIGHTS_FLAG,
  adapter: ADAPTER_FLAG,
  "stop-with-stdin": STOP_WITH_STDIN_FLAG,
  help: { type: "boolean", help: "this text" },
} as const satisfies Record<string, Flag>;

const STATISTICS_FLAGS = {
  top: { type: "string", value: "N", help: "examples of each head, 10 by default" },
  definition: {
    type: "string",
    value: "NAME",
    help: "infoflow (default), or headvis to add HeadVis' metrics and its JSON files",
  },
} as const satisfies Record<string, Flag>;

const DASHBOARD_FLAGS = {
  sae: { type: "string", value: "NAME|DIR", help: "the autoencoder, as for serve" },
  top: { type: "string", value: "N", help: "largest examples of each feature, 20 by default" },
  "one-per-prompt": {
    type: "boolean",
    help: "take at most one example of a feature from a prompt",
  },
  labels: {
    type: "string",
    value: "FILE",
    multiple: true,
    help: "labels of features: texts by number as JSON, or Neuronpedia's explanations",
  },
} as const satisfies Record<string, Flag>;

/** The flags of the questions that are no fields of the schema. */
const OWN_FLAGS: Readonly<Record<string, Record<string, Flag>>> = {
  "head-statistics": STATISTICS_FLAGS,
  dashboards: DASHBOARD_FLAGS,
};

const MATRIX_FLAGS = {
  layout: {
    type: "string",
    value: "NAME",
    help: "nested (default): nested lists by the axes; flat: one list, and its shape",
  },
} as const satisfies Record<string, Flag>;

/** The question to run over a corpus. */
export interface CorpusSettings {
  readonly name: string;
  /** The field of the schema; undefined for statistics. */
  readonly field: BatchField | undefined;
  /** Whether a matrix is nested lists in its row, or one flat list. */
  readonly layout: BatchLayout;
  readonly inputs: readonly string[];
  readonly directory: string;
  readonly model: string | undefined;
  readonly weightType: WeightType;
  readonly adapter: string | undefined;
  readonly column: string | undefined;
  readonly format: CorpusFormat | undefined;
  readonly shard: number;
  readonly shards: number;
  /** Undefined for the default. */
  readonly partRows: number | undefined;
  readonly top: number;
  /** The autoencoder of dashboards. */
  readonly sae: string | undefined;
  readonly onePerPrompt: boolean;
  /** Files of labels, or patterns. */
  readonly labels: readonly string[];
  readonly definition: "infoflow" | "headvis";
  /** The arguments of the field. */
  readonly args: Readonly<Record<string, unknown>>;
}

/** What a corpus command was called for: help, several runs made one, or a run. */
export type CorpusCall =
  | { readonly help: string }
  | {
    readonly merge: { readonly directory: string; readonly shards: readonly string[] };
    readonly stopWithStdin: boolean;
  }
  | { readonly run: CorpusSettings; readonly stopWithStdin: boolean };

const USAGE = "./run corpus NAME IN… OUT [flags], or ./run corpus merge OUT DIR…";

/**
 * Reads what a corpus command was called with.
 *
 * @throws {UsageError} If it was called wrongly.
 * @throws {InfoflowError} BAD_USER_INPUT if an option can't be.
 */
export function corpusCall(args: string[]): CorpusCall {
  const name = args.find((arg) => !arg.startsWith("-")) ?? "";
  const field = CORPUS_FIELDS[name];
  const parameters = field === undefined ? [] : optionsOf(field);
  const flags: Record<string, Flag> = {
    ...FLAGS,
    ...OWN_FLAGS[name],
    ...field !== undefined && isMatrixField(field) ? MATRIX_FLAGS : {},
    ...Object.fromEntries(parameters.map((it) => [flagOf(it.name), flagFor(it)])),
  };
  const parsed = parseFlags(args, flags);
  if (parsed.values.get("help")) return { help: helpText(flags) };
  const [, ...paths] = parsed.positionals;
  const stopWithStdin = parsed.values.get("stop-with-stdin") === true;
  if (name === "merge") {
    const [directory, ...shards] = paths;
    if (directory === undefined) throw new UsageError("merge needs a directory to write to");
    return { merge: { directory, shards }, stopWithStdin };
  }
  if (!(name in CORPUS_FIELDS)) {
    throw new UsageError(
      `NAME must be one of ${Object.keys(CORPUS_FIELDS).join(", ")}, merge: current value is ${
        name || "nothing"
      }`,
    );
  }
  if (paths.length < 2) throw new UsageError(`Give what to read and where to write: ${USAGE}`);
  if (stopWithStdin && paths.includes("-")) {
    throw new UsageError("--stop-with-stdin can't be given where the input is standard input");
  }
  return { run: settingsOf(name, { parsed, parameters, paths }), stopWithStdin };
}

function settingsOf(
  name: string,
  { parsed: { values }, parameters, paths }: {
    parsed: Parsed;
    parameters: readonly LinkParameter[];
    paths: readonly string[];
  },
): CorpusSettings {
  const text = (flag: string): string | undefined => values.get(flag) as string | undefined;
  const number = (flag: string, most: number): number | undefined => {
    const value = text(flag);
    return value === undefined ? undefined : wholeNumber(flag, value, { least: 1, most });
  };
  const field = CORPUS_FIELDS[name];
  const query = new URLSearchParams();
  for (const { name } of parameters) {
    const value = values.get(flagOf(name));
    if (value !== undefined) query.set(name, String(value));
  }
  return {
    name,
    field,
    inputs: paths.slice(0, -1),
    directory: paths.at(-1)!,
    model: text("model"),
    weightType: weightType(text("weights")),
    adapter: text("adapter"),
    column: text("column"),
    format: choice("format", text("format"), CORPUS_FORMATS),
    ...shardOf(text("shard") ?? "1/1"),
    partRows: number("part-rows", 2 ** 20),
    top: number("top", 100) ?? (name === "dashboards" ? 20 : 10),
    sae: text("sae"),
    onePerPrompt: values.get("one-per-prompt") === true,
    labels: (values.get("labels") ?? []) as readonly string[],
    layout: choice("layout", text("layout"), BATCH_LAYOUTS) ?? "nested",
    definition: choice("definition", text("definition"), ["infoflow", "headvis"]) ?? "infoflow",
    args: field === undefined ? {} : readLink(field, `?${query}`, { isMatrix: false }).args,
  };
}

/** The arguments of a field that are the same for all prompts. */
function optionsOf(field: string): LinkParameter[] {
  const own = ["prompt", "ids", "model", "compare"];
  return linkParameters(field).filter(({ name }) => !own.includes(name));
}

function flagOf(parameter: string): string {
  return parameter.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function flagFor({ name, kind, values, isList }: LinkParameter): Flag {
  const help = `as the argument ${name} of the field`;
  if (kind === "boolean") return { type: "boolean", help };
  const value = values.length > 0 ? values.join("|") : isList ? "A,B,…" : "VALUE";
  return { type: "string", value, help };
}

function shardOf(text: string): { readonly shard: number; readonly shards: number } {
  const [, shard, shards] = text.match(/^(\d{1,6})\/(\d{1,6})$/) ?? [];
  if (shard === undefined || Number(shard) < 1 || Number(shard) > Number(shards)) {
    throw new UsageError(
      `--shard must be such as 3/16, the third of sixteen: current value is ${text}`,
    );
  }
  return { shard: Number(shard), shards: Number(shards) };
}

function choice<T extends string>(
  flag: string,
  value: string | undefined,
  values: readonly T[],
): T | undefined {
  if (value === undefined || values.includes(value as T)) return value as T | undefined;
  throw new UsageError(`--${flag} must be one of ${values.join(", ")}: current value is ${value}`);
}

function helpText(flags: Readonly<Record<string, Flag>>): string {
  return `${helpOf(USAGE, flags)}

NAME  ${Object.keys(CORPUS_FIELDS).join(", ")}
IN    files of parquet, arrow, csv, jsonl (.gz, .zst), or text with a prompt on each line; patterns; - for standard input
OUT   a directory; the same command again goes on where it was left`;
}
