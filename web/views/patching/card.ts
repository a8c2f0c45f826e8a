import { PATCH_DIRECTIONS, PATCH_METRICS } from "../../../src/requests/patching.ts";
import { SITES } from "../../../src/requests/interventions/sites.ts";
import { like, oneOf, text } from "../../state/part.ts";
import type { ViewCard } from "../card.ts";

const SITE = {
  name: "site",
  label: "Site",
  help: "The activation of one prompt that is put into the run of the other.",
  choices: [
    ["RESID_PRE", "stream before a layer"],
    ["RESID_MID", "stream after attention"],
    ["RESID_POST", "stream after a layer"],
    ["ATTN_OUT", "attention’s output"],
    ["MLP_OUT", "MLP’s output"],
    ["Z", "heads’ output"],
    ["Q", "queries"],
    ["K", "keys"],
    ["V", "values"],
    ["PATTERN", "patterns"],
  ],
} as const;

const CELLS = {
  name: "cells",
  label: "Cells",
  help: "The axes of the grid. Heads are an axis if the site has heads.",
  choices: [["position", "layer, token"], ["head", "layer, head"]],
} as const;

const WAY = {
  name: "way",
  label: "Direction",
  help: "Denoising asks which activations bring the answer back; noising, which ones it needs.",
  choices: [["DENOISE", "clean into corrupted"], ["NOISE", "corrupted into clean"]],
} as const;

const METRIC = {
  name: "metric",
  label: "Metric",
  help: "The number that is computed at the last token of each run.",
  choices: [
    ["LOGIT_DIFF", "logit difference"],
    ["LOG_PROB", "log-probability"],
    ["PROB", "probability"],
    ["KL", "KL divergence"],
  ],
} as const;

/** What values of one prompt do in the run of another. */
export const PATCHING = {
  tab: "Patching",
  layout: "large",
  bos: "KEEP",
  unit: "share",
  options: [SITE, CELLS, WAY, METRIC],
  state: {
    /** The other prompt; empty: one is made of the prompt. */
    corrupted: text(""),
    /** The token that is right, and the one that is wrong; empty: the likeliest after each prompt. */
    answer: text(""),
    wrong: text(""),
    site: oneOf(SITES),
    cells: oneOf(["position", "head"]),
    way: oneOf(PATCH_DIRECTIONS),
    metric: oneOf(PATCH_METRICS),
    /** The patch that is applied: its layer, and its position or head. */
    patch: like(/^(\d{1,4}\.\d{1,6})?$/),
  },
} as const satisfies ViewCard;
