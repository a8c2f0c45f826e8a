import type { Architecture } from "./architecture/architecture.ts";

/** A measure of flow from a source to a target. docs/methods.md has the formulas. */
export interface FlowMethod {
  /** The name that is shown. */
  readonly name: string;
  /** What it shows, and what it does not. */
  readonly says: string;
  /** The paper; for attention, the rollout's. */
  readonly paper: { readonly name: string; readonly url: string };
  /** Whether its paper defines a product of layers, and with it ROLLOUT. */
  readonly hasProduct: boolean;
  /** Whether it can be taken over some heads of a layer. */
  readonly takesHeads: boolean;
  /** Whether it reads the residual stream, not patterns and values alone. */
  readonly readsStream: boolean;
  /** Floating-point operations for a prompt, if they are many more than the forward pass takes. */
  readonly operations?: (
    sizes: Pick<Architecture, "layers" | "channels" | "inner">,
    tokens: number,
  ) => number;
}

/** The methods, by their name in GraphQL's `Method`. */
export const FLOW_METHODS = {
  ATTENTION: {
    name: "attention",
    says: "Where heads look. A head can look at a token and take next to nothing from it.",
    paper: { name: "Abnar & Zuidema 2020", url: "https://aclanthology.org/2020.acl-main.385/" },
    hasProduct: true,
    takesHeads: true,
    readsStream: false,
  },
  VALUE_NORM: {
    name: "value norms",
    says: "Where heads look, times the length of what they write from there. " +
      "Heads that write against each other still count in full.",
    paper: { name: "Kobayashi et al. 2020", url: "https://aclanthology.org/2020.emnlp-main.574/" },
    hasProduct: false,
    takesHeads: false,
    readsStream: false,
  },
  ATTENTION_NORM: {
    name: "norm of all heads",
    says: "The length of what all heads together write from a token (Kobayashi et al. 2020). " +
      "It does not see what a token keeps of itself.",
    paper: { name: "Kobayashi et al. 2020", url: "https://aclanthology.org/2020.emnlp-main.574/" },
    hasProduct: false,
    takesHeads: false,
    readsStream: false,
  },
  ATTENTION_RESIDUAL: {
    name: "norm with residual",
    says: "The same, with what a token keeps of itself on the diagonal (Kobayashi et al. 2021). " +
      "Lengths alone do not say whether two sources agree or cancel out.",
    paper: { name: "Kobayashi et al. 2021", url: "https://aclanthology.org/2021.emnlp-main.373/" },
    hasProduct: true,
    takesHeads: false,
    readsStream: true,
  },
  ALTI: {
    name: "ALTI",
    says: "How much nearer a token brings the target to what it becomes after attention " +
      "(Ferrando et al. 2022). What points away counts for nothing, and the MLP is not seen.",
    paper: { name: "Ferrando et al. 2022", url: "https://aclanthology.org/2022.emnlp-main.595/" },
    hasProduct: true,
    takesHeads: false,
    readsStream: true,
  },
  ROUTES: {
    name: "routes",
    says: "ALTI for each head by itself (Ferrando & Voita 2024). " +
      "What one head adds and another takes away both count.",
    paper: { name: "Ferrando & Voita 2024", url: "https://aclanthology.org/2024.emnlp-main.965/" },
    hasProduct: false,
    takesHeads: false,
    readsStream: true,
  },
  VALUE_ZEROING: {
    name: "value zeroing",
    says: "How much a layer's output turns when a token's values are zeroed (Mohebbi et al. " +
      "2023). It sees what the MLP makes of it, and costs more than the forward pass: short " +
      "prompts only.",
    paper: { name: "Mohebbi et al. 2023", url: "https://aclanthology.org/2023.eacl-main.245/" },
    hasProduct: true,
    takesHeads: false,
    readsStream: true,
    // A row goes through the MLP for each pair of a target and a source.
    operations: ({ layers, channels, inner }, tokens) =>
      tokens * (tokens + 1) / 2 * layers * 4 * channels * inner,
  },
} as const satisfies Record<string, FlowMethod>;

/** One of {@linkcode FLOW_METHODS}. */
export type Method = keyof typeof FLOW_METHODS;

/** Their names. */
export const METHODS = Object.keys(FLOW_METHODS) as readonly Method[];
