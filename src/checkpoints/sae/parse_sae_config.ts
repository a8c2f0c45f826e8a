import { shown } from "../../errors.ts";
import type {
  SaeArchitecture,
  SaeConfig,
  SaeConversion,
  SaeNormalization,
  SaeReport,
} from "../../requests/sae/sae_config.ts";
import { readHook } from "./read_hook.ts";
import { reportOf } from "./report_of.ts";

/** What a release knows of an autoencoder that its files don't say. */
export interface SaeOverrides {
  /** Of the model that it was trained on, as TransformerLens' `from_pretrained` takes them. */
  readonly modelOptions?: Readonly<Record<string, boolean>> | undefined;
  /** What activations are multiplied by, for `expected_average_only_in`. */
  readonly factor?: number | undefined;
  readonly report?: SaeReport | undefined;
}

type Config = Readonly<Record<string, unknown>>;

const ARCHITECTURES: readonly SaeArchitecture[] = [
  "standard",
  "gated",
  "jumprelu",
  "topk",
  "transcoder",
];
const NORMALIZATIONS: readonly SaeNormalization[] = [
  "none",
  "layer_norm",
  "constant_norm_rescale",
  "expected_average_only_in",
];

/** Sizes beyond any autoencoder's, which show a broken file. */
const LARGEST = 2 ** 20;

/**
 * Reads an autoencoder's `cfg.json` as SAELens wrote it, 0.x to 6.x: the older ones have all keys side by side, call the
 * hook `hook_point`, and topk an activation function.
 *
 * @param text The file's text.
 * @param overrides What else is known; it goes before what the file says.
 * @throws {SyntaxError} If it is not a JSON object.
 * @throws {RangeError} If it describes what Infoflow doesn't read; the text names it.
 */
export function parseSaeConfig(text: string, overrides: SaeOverrides = {}): SaeConfig {
  const config = parseObject(text);
  const metadata = isObject(config.metadata) ? config.metadata : config;
  const hook = metadata.hook_name ?? metadata.hook_point;
  if (typeof hook !== "string") {
    throw refused("hook_name", "must name the activation that it takes apart", hook ?? null);
  }
  const head = metadata.hook_head_index ?? metadata.hook_point_head_index ?? null;
  if (head !== null) {
    throw refused("hook_head_index", "must be null: autoencoders of one head are not read", head);
  }
  const { architecture, k } = architectureOf(config);
  const { site, layer } = readHook(hook, architecture === "transcoder");
  const hookOut = architecture === "transcoder"
    ? textOf(metadata.hook_name_out, "hook_name_out")
    : undefined;
  if (hookOut !== undefined && hookOut !== `blocks.${layer}.hook_mlp_out`) {
    throw refused("hook_name_out", `must be blocks.${layer}.hook_mlp_out`, hookOut);
  }
  const reshape = config.reshape_activations ?? "none";
  if (reshape !== "none" && reshape !== "hook_z") {
    throw refused("reshape_activations", 'must be "none" or "hook_z"', reshape);
  }
  const inputs = size(config.d_in, "d_in");
  const { normalization, factor } = normalizationOf(config, architecture, overrides.factor);
  return {
    architecture,
    hook,
    hookOut,
    site,
    layer,
    inputs,
    outputs: architecture === "transcoder" ? size(config.d_out ?? inputs, "d_out") : inputs,
    features: size(config.d_sae, "d_sae"),
    k,
    normalization,
    factor,
    subtractsDecoderBias: architecture !== "transcoder" &&
      flag(config.apply_b_dec_to_input, "apply_b_dec_to_input", true),
    rescalesByDecoderNorm: architecture === "topk" &&
      flag(config.rescale_acts_by_decoder_norm, "rescale_acts_by_decoder_norm", false),
    context: contextOf(metadata.context_size),
    model: typeof metadata.model_name === "string" ? metadata.model_name : "",
    conversion: conversionOf(overrides.modelOptions ?? metadata.model_from_pretrained_kwargs),
    report: overrides.report ?? reportOf(metadata),
  };
}

function architectureOf(config: Config): { architecture: SaeArchitecture; k: number | undefined } {
  const activation = config.activation_fn_str ?? config.activation_fn ?? "relu";
  const given = config.architecture ?? "standard";
  const isTopk = given === "topk" || (given === "standard" && activation === "topk");
  if (isTopk) {
    const options = isObject(config.activation_fn_kwargs) ? config.activation_fn_kwargs : {};
    return { architecture: "topk", k: size(config.k ?? options.k, "k") };
  }
  if (activation !== "relu") {
    throw refused("activation_fn", 'must be "relu" or "topk"', activation);
  }
  const architecture = ARCHITECTURES.find((it) => it === given);
  if (architecture === undefined) {
    const names = ARCHITECTURES.map((it) => JSON.stringify(it)).join(", ");
    throw refused("architecture", `must be one of ${names}`, given);
  }
  return { architecture, k: undefined };
}

function normalizationOf(
  config: Config,
  architecture: SaeArchitecture,
  factor: number | undefined,
): { normalization: SaeNormalization; factor: number } {
  const given = config.normalize_activations ?? "none";
  const name = given === false ? "none" : given === true ? "expected_average_only_in" : given;
  const normalization = NORMALIZATIONS.find((it) => it === name);
  if (normalization === undefined || (architecture === "transcoder" && normalization !== "none")) {
    const names = NORMALIZATIONS.map((it) => JSON.stringify(it)).join(", ");
    const rule = architecture === "transcoder" ? 'must be "none"' : `must be one of ${names}`;
    throw refused("normalize_activations", rule, given);
  }
  if (normalization !== "expected_average_only_in") return { normalization, factor: 1 };
  if (factor === undefined) {
    throw refused(
      "normalize_activations",
      "needs the factor: put it into norm_scaling_factor.json beside cfg.json, as a number",
      given,
    );
  }
  if (!(factor > 0 && Number.isFinite(factor))) {
    throw new RangeError(
      `Cannot read the autoencoder as its normalisation factor must be above 0: current value is ${factor}`,
    );
  }
  return { normalization, factor };
}

function conversionOf(options: unknown): SaeConversion {
  const given = isObject(options) ? options : {};
  return {
    isCentred: given.center_writing_weights === true,
    isValueBiasFolded: given.fold_value_biases === true,
    isNormFolded: given.fold_ln === true,
  };
}

function contextOf(value: unknown): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value > 0 ? value : undefined;
}

function parseObject(text: string): Config {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError("Cannot read the autoencoder as its cfg.json is not JSON", { cause });
  }
  if (!isObject(value)) {
    throw new SyntaxError("Cannot read the autoencoder as its cfg.json must be a JSON object");
  }
  return value;
}

function isObject(value: unknown): value is Config {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textOf(value: unknown, name: string): string {
  if (typeof value === "string") return value;
  throw refused(name, "must be a text", value ?? null);
}

function flag(value: unknown, name: string, missing: boolean): boolean {
  if (value === undefined || value === null) return missing;
  if (typeof value === "boolean") return value;
  throw refused(name, "must be true or false", value);
}

function size(value: unknown, name: string): number {
  if (typeof value === "number" && Number.isInteger(value) && value > 0 && value <= LARGEST) {
    return value;
  }
  throw refused(name, `must be a positive integer, ${LARGEST} at most`, value ?? null);
}

function refused(name: string, rule: string, value: unknown): RangeError {
  return new RangeError(
    `Cannot read the autoencoder as ${name} of its cfg.json ${rule}: current value is ${
      shown(value)
    }`,
  );
}
