/** The long versions of the fuzzing tests: `deno task fuzz [--files 1000000] [--models 100000] [--requests 20000] [--texts 200000] [--seed N]`. */
import { parseArgs } from "node:util";
import { withApp } from "../support/app.ts";
import { fuzzGraphQL, fuzzLinks } from "./endpoints.ts";
import { fuzzModelFiles } from "./model_files.ts";
import { fuzzSafetensors } from "./safetensors.ts";
import { fuzzTokens } from "./tokens.ts";

interface Report {
  readonly slowestMs: number;
  readonly stallMs?: number;
}

const { values } = parseArgs({
  options: {
    files: { type: "string", default: "1000000" },
    models: { type: "string", default: "100000" },
    requests: { type: "string", default: "20000" },
    texts: { type: "string", default: "200000" },
    seed: { type: "string", default: String(Date.now() % 1e6) },
  },
});
const seed = Number(values.seed);
console.log(`seed ${seed}`);
let isWell = true;
/** Nothing may hang for so long, in ms. What a device computes may take longer; the thread that answers may not. */
const HANG = 1000;
const print = (what: string, report: Report, isRight = true): void => {
  console.log(what, JSON.stringify(report));
  isWell &&= isRight && (report.stallMs ?? report.slowestMs) < HANG;
};

const files = await fuzzSafetensors(Number(values.files), seed, 50_000);
print("safetensors", files, files.unexplained.length === 0);
print("files of checkpoints", await fuzzModelFiles(Number(values.models), seed));
await withApp(async ({ fetch }) => {
  print("GraphQL", await fuzzGraphQL(fetch, Number(values.requests), seed));
  print("links", await fuzzLinks(fetch, Number(values.requests), seed));
});
const tokens = await fuzzTokens(Number(values.texts), seed);
print("tokens", tokens, tokens.different.length === 0);
Deno.exit(isWell ? 0 : 1);
