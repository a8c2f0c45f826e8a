import { type ArrowForm, DEFAULT_FORM, FORMATS, LAYOUTS } from "../arrow/form.ts";
import {
  AGGREGATIONS,
  BOS_POLICIES,
  DEFAULT_ATTENTION,
  DEFAULT_OPTIONS,
  type MatrixOptions,
  METHODS,
} from "../../requests/flow_options.ts";
import { Query } from "./query.ts";

/** What a link asks for. */
export interface MatrixQuery {
  readonly prompt: string;
  readonly model: string | undefined;
  readonly options: MatrixOptions;
  readonly form: ArrowForm;
}

const FORM_NAMES = ["layout", "format"];

/**
 * Reads a link to a flow:
 * `?prompt=…&byLayer=true&aggregation=MEAN&bos=DROP&layers=0,1&heads=3&method=ALTI&ablate=3.1,3.2&layout=rows&format=stream&model=gpt2`,
 * all but `prompt` optional.
 *
 * @param search The URL's query, `?` included.
 * @throws {InfoflowError} BAD_USER_INPUT, with the values that there are.
 */
export function parseFlowQuery(search: string): MatrixQuery {
  const names = [
    "prompt",
    "model",
    "byLayer",
    "aggregation",
    "bos",
    "layers",
    "heads",
    "method",
    "ablate",
    "compare",
  ];
  const query = new Query(search, [...names, ...FORM_NAMES]);
  return {
    prompt: query.text("prompt"),
    model: query.text("model") || undefined,
    options: {
      byLayer: query.boolean("byLayer", DEFAULT_OPTIONS.byLayer),
      aggregation: query.choice("aggregation", AGGREGATIONS, DEFAULT_OPTIONS.aggregation),
      bos: query.choice("bos", BOS_POLICIES, DEFAULT_OPTIONS.bos),
      layers: query.integers("layers"),
      heads: query.integers("heads"),
      method: query.choice("method", METHODS, "ATTENTION"),
      ablate: query.heads("ablate"),
      compare: query.boolean("compare", false),
    },
    form: formOf(query),
  };
}

/**
 * Reads a link to attention patterns: `?prompt=…&layers=0,1&heads=3&bos=KEEP&cells=48&layout=rows&format=stream&model=gpt2`,
 * all but `prompt` optional.
 *
 * @param search The URL's query, `?` included.
 * @throws {InfoflowError} BAD_USER_INPUT, with the values that there are.
 */
export function parseAttentionQuery(search: string): MatrixQuery {
  const query = new Query(search, [
    "prompt",
    "model",
    "layers",
    "heads",
    "bos",
    "cells",
    ...FORM_NAMES,
  ]);
  return {
    prompt: query.text("prompt"),
    model: query.text("model") || undefined,
    options: {
      byHead: true,
      bos: query.choice("bos", BOS_POLICIES, DEFAULT_ATTENTION.bos),
      layers: query.integers("layers"),
      heads: query.integers("heads"),
      cells: query.integer("cells"),
    },
    form: formOf(query),
  };
}

function formOf(query: Query): ArrowForm {
  return {
    layout: query.choice("layout", LAYOUTS, DEFAULT_FORM.layout),
    format: query.choice("format", FORMATS, DEFAULT_FORM.format),
  };
}
