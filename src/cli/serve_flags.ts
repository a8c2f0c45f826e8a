import type { Flag } from "./flags.ts";
import { WEIGHTS_FLAG } from "./weight_type.ts";

/** The flag that chooses an adapter. */
export const ADAPTER_FLAG = {
  type: "string",
  value: "NAME",
  help: "adapter to use: high-performance, low-power, software, or a part of its name",
} as const satisfies Flag;

/** The flag that ends a command together with the program that started it, however that ends. */
export const STOP_WITH_STDIN_FLAG = {
  type: "boolean",
  help: "stop when standard input ends, as it does when the parent program ends",
} as const satisfies Flag;

/** The flags of `serve`. */
export const SERVE_FLAGS = {
  host: { type: "string", value: "HOST", help: "address to listen on, 127.0.0.1 by default" },
  port: { type: "string", value: "PORT", help: "port, 8000 by default; 0 takes a free one" },
  model: {
    type: "string",
    value: "NAME|DIR",
    multiple: true,
    help:
      "model to run, gpt2 if it is there and bundled otherwise; more than once for several; NAME=DIR gives it a name",
  },
  sae: {
    type: "string",
    value: "NAME|DIR",
    multiple: true,
    help:
      "sparse autoencoder to serve; NAME=DIR gives it a name, MODEL:NAME is for another model than the first",
  },
  dashboards: {
    type: "string",
    value: "DIR",
    multiple: true,
    help: "directory that `deno task dashboards` wrote, to show",
  },
  "sae-mib": {
    type: "string",
    value: "N",
    help: "MiB of autoencoders to keep on the device, 1024 by default",
  },
  corpus: {
    type: "string",
    value: "DIR",
    help: "show a finished run of deno task corpus head-statistics, at /corpus",
  },
  download: { type: "boolean", help: "download the model, or gpt2, if it is not there" },
  weights: WEIGHTS_FLAG,
  "cache-mib": {
    type: "string",
    value: "N",
    help: "MiB of attention patterns to keep on the device, 1024 by default",
  },
  "public-url": {
    type: "string",
    value: "URL",
    help: "where links to this server begin, if behind a proxy",
  },
  "allow-host": {
    type: "string",
    value: "NAME,…",
    help: "further names of this server in Host, such as a proxy's",
  },
  "allow-origin": {
    type: "string",
    value: "ORIGIN,…",
    help:
      "other sites whose pages may use the server, such as https://notes.example; none by default",
  },
  open: { type: "boolean", help: "answer other machines without a token" },
  "max-passes": {
    type: "string",
    value: "N",
    help: "most different prompts that a request computes, 4 by default",
  },
  "max-waiting": {
    type: "string",
    value: "N",
    help: "most requests that wait for the device, others get 503; 64 by default",
  },
  "max-connections": {
    type: "string",
    value: "N",
    help: "most open connections, 512 by default; fewer if the limit of open files is low",
  },
  "max-answer-mib": {
    type: "string",
    value: "N",
    help: "most MiB of Arrow in one answer, 256 by default",
  },
  "max-in-flight-mib": {
    type: "string",
    value: "N",
    help: "most MiB of all open answers, 512 by default",
  },
  deadline: {
    type: "string",
    value: "SECONDS",
    help: "limit of a request's time, 30 by default",
  },
  patience: {
    type: "string",
    value: "SECONDS",
    help: "limit for a request to arrive, and for a client that reads nothing, 30 by default",
  },
  log: {
    type: "string",
    value: "json|text",
    help: "format of the log, a line for each request; json by default",
  },
  "log-prompts": { type: "boolean", help: "include prompts in the log" },
  "no-introspection": { type: "boolean", help: "refuse introspection of the GraphQL schema" },
  "no-graphiql": { type: "boolean", help: "don't serve GraphiQL" },
  "stop-with-stdin": STOP_WITH_STDIN_FLAG,
  adapter: ADAPTER_FLAG,
  tune: { type: "boolean", help: "choose the kernels for this adapter again" },
  help: { type: "boolean", help: "this text" },
} as const satisfies Record<string, Flag>;
