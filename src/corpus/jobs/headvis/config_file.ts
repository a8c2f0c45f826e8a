import { HEADVIS_METRICS } from "../../../requests/head_statistics/statistics.ts";
import type { Manifest } from "../../output/manifest.ts";
import { INTERVALS } from "./intervals.ts";

/** Descriptions of the metrics. */
const DESCRIPTIONS: Readonly<Record<typeof HEADVIS_METRICS[number], string>> = {
  self_attention_score: "What a position takes from itself, position 0 among them.",
  prev_token_score: "What a position takes from the one before it.",
  pattern_entropy: "Entropy of a position's weights, in nats; 0 at position 0.",
  qk_distance: "How far back a position looks, in tokens, by its weights.",
  qk_distance_variance: "Variance of the distance, over weights.",
  induction_score:
    "What a position takes from what followed earlier occurrences of its token, weights of 0.01 and more.",
};

/** What `config.json` has, which the front end reads first. */
export function configFile(
  { model, inputs, rows, options }: Manifest,
  { layers, heads, context, prompts }: {
    readonly layers: number;
    readonly heads: number;
    readonly context: number;
    readonly prompts: number;
  },
): unknown {
  return {
    model_name: model.name,
    np_model_id: model.name,
    dataset_name: inputs.map(({ path }) => path.replace(/^.*[/\\]/, "")).join(", "),
    heads: Array.from({ length: layers * heads }, (_, at) => [Math.floor(at / heads), at % heads]),
    n_layers: layers,
    n_heads: heads,
    n_intervals: INTERVALS,
    metrics: HEADVIS_METRICS,
    metric_descriptions: DESCRIPTIONS,
    head_data_pattern: "L{layer}H{head}.json",
    has_umap: false,
    umap_heads: [],
    custom_plots: [
      { key: "qk_distance_histogram", label: "Distance from query to key" },
      { key: "histogram", label: "Largest weight of a prompt" },
    ],
    custom_tables: [
      { key: "top_query_tokens", label: "Query tokens" },
      { key: "top_key_tokens", label: "Key tokens" },
    ],
    statistics_display: {
      n_samples: { label: "Prompts shown", format: "default" },
      mean_max_activation: { label: "Mean of the largest weight", format: "default" },
    },
    pipeline_config: {
      made_by: "infoflow",
      fingerprint: model.fingerprint,
      // What Neuronpedia's loaders want of a run, under the names that its own script gives them.
      seq_len: context,
      dtype: "float32",
      attn_implementation: "webgpu",
      num_hidden_layers: layers,
      num_attention_heads: heads,
      n_sequences: rows,
      actual_sequences_processed: prompts,
      ...options,
    },
  };
}
