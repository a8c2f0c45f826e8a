import type { METHODS } from "./state/common.ts";

type Method = typeof METHODS[number];

/** What a person is told of a method. */
export interface MethodCard {
  readonly name: string;
  /** What it shows, and what it can't. */
  readonly says: string;
  /** Where it comes from. */
  readonly paper: { readonly name: string; readonly url: string };
  /** Whether its paper defines a product of layers, and with it a rollout. */
  readonly multiplies: boolean;
}

/** The methods, as `docs/methods.md` explains them. */
export const METHOD_CARDS: Readonly<Record<Method, MethodCard>> = {
  ATTENTION: {
    name: "attention",
    says: "Where heads look. A head can look at a token and take next to nothing from it.",
    paper: { name: "Abnar & Zuidema 2020", url: "https://aclanthology.org/2020.acl-main.385/" },
    multiplies: true,
  },
  VALUE_NORM: {
    name: "value norms",
    says: "Where heads look, times the length of what they write from there. " +
      "Heads that write against each other still count in full.",
    paper: { name: "Kobayashi et al. 2020", url: "https://aclanthology.org/2020.emnlp-main.574/" },
    multiplies: false,
  },
  ATTENTION_NORM: {
    name: "norm of all heads",
    says: "The length of what all heads together write from a token (Kobayashi et al. 2020). " +
      "It does not see what a token keeps of itself.",
    paper: { name: "Kobayashi et al. 2020", url: "https://aclanthology.org/2020.emnlp-main.574/" },
    multiplies: false,
  },
  ATTENTION_RESIDUAL: {
    name: "norm with residual",
    says: "The same, with what a token keeps of itself on the diagonal (Kobayashi et al. 2021). " +
      "Lengths alone do not say whether two sources agree or cancel out.",
    paper: { name: "Kobayashi et al. 2021", url: "https://aclanthology.org/2021.emnlp-main.373/" },
    multiplies: true,
  },
  ALTI: {
    name: "ALTI",
    says: "How much nearer a token brings the target to what it becomes after attention " +
      "(Ferrando et al. 2022). What points away counts for nothing, and the MLP is not seen.",
    paper: { name: "Ferrando et al. 2022", url: "https://aclanthology.org/2022.emnlp-main.595/" },
    multiplies: true,
  },
  ROUTES: {
    name: "routes",
    says: "ALTI for each head by itself (Ferrando & Voita 2024). " +
      "What one head adds and another takes away both count.",
    paper: { name: "Ferrando & Voita 2024", url: "https://aclanthology.org/2024.emnlp-main.965/" },
    multiplies: false,
  },
  VALUE_ZEROING: {
    name: "value zeroing",
    says:
      "How much a layer’s output turns when a token’s values are zeroed (Mohebbi et al. 2023). " +
      "It sees what the MLP makes of it, and costs more than the forward pass: short prompts only.",
    paper: { name: "Mohebbi et al. 2023", url: "https://aclanthology.org/2023.eacl-main.245/" },
    multiplies: true,
  },
};
