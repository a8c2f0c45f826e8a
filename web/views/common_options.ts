import { FLOW_METHODS } from "../../src/requests/flow_methods.ts";
import type { Option } from "../options.ts";

/** The flow method. */
export const METHOD: Option = {
  name: "method",
  label: "Method",
  help: "How flow from a source to a target is measured.",
  choices: Object.entries(FLOW_METHODS).map(([value, { name }]) => [value, name]),
};

/** How the layers become one matrix. */
export const AGGREGATION: Option = {
  name: "aggregation",
  label: "Layers",
  help:
    "How the flows of the layers become one: their mean; their product, which follows a token " +
    "through all layers; or as the notebook computed it that Infoflow grew out of, where the last layers count most.",
  paper: { name: "Abnar & Zuidema 2020", url: "https://aclanthology.org/2020.acl-main.385/" },
  choices: [["MEAN", "mean"], ["ROLLOUT", "rollout"], ["NOTEBOOK", "notebook"]],
};

/** Whether BOS is left out, kept, or not read. */
export const BOS: Option = {
  name: "bos",
  label: "BOS",
  help:
    "The beginning-of-text token comes before every prompt. Heads with nothing to do put their attention there. " +
    "Left out, each row is divided by what remains. With none, the model reads the prompt without it, as Python " +
    "does by default.",
  choices: [["DROP", "left out"], ["KEEP", "kept"], ["NONE", "none"]],
};

/** What colours are of. */
export const UNIT: Option = {
  name: "unit",
  label: "Weight",
  help:
    "The source’s share of the row; or “against even”, how many times the share that it would have " +
    "if all sources had the same: 1 is no preference, however long the prompt.",
  choices: [["share", "share"], ["even", "against even"]],
};

/** Whether a token's share in itself is coloured. */
export const SELF: Option = {
  name: "self",
  label: "Self",
  help: "Methods that see the residual stream give most of a row to the token itself. " +
    "Hidden, the other sources have all colours.",
  choices: [["shown", "shown"], ["hidden", "hidden"]],
};

/** Whether all panels share a scale. */
export const SCALE: Option = {
  name: "scale",
  label: "Scale",
  help:
    "Whether the same colour is the same weight in all pictures, or each picture has a scale of its own.",
  choices: [["shared", "shared"], ["panel", "per picture"]],
};

/** How a colour grows with a weight. */
export const CURVE: Option = {
  name: "curve",
  label: "Colour",
  help: "The square root tells small weights apart; linear lets only the large ones stand out.",
  choices: [["sqrt", "square root"], ["linear", "linear"]],
};
