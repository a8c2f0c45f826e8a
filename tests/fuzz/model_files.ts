import assert from "node:assert/strict";
import { parseShardIndex } from "../../src/checkpoints/shard_index.ts";
import { InfoflowError } from "../../src/errors.ts";
import { parseBosId } from "../../src/requests/architecture/config.ts";
import { parseArchitecture } from "../../src/requests/architecture/families.ts";
import { tokenizerOf } from "../../src/tokens/tokenizer_of.ts";
import { Random } from "../support/random.ts";
import { Coverage } from "./coverage.ts";
import { strangeText } from "./strange_text.ts";

const FIXTURES = new URL("../fixtures/", import.meta.url);
const OURS = /\/src\/(tokens|checkpoints|requests)\//;

/** What came of fuzzing the files of a checkpoint. */
export interface ModelFilesReport {
  readonly files: number;
  /** Files that were read, and those that were refused. */
  readonly verdicts: Readonly<Record<string, number>>;
  /** Inputs that reached code that none before did, and were changed further. */
  readonly kept: number;
  /** Blocks of our code that were reached. */
  readonly blocks: number;
  readonly slowestMs: number;
}

/** A text that all vocabularies have tokens for, as long as they are not changed. */
const PROMPT = "32 16 ABBA 1632";

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

/** The files, and what reads them. */
type Kind = "tokenizer.json" | "tokenizer_config.json" | "config.json" | "index";

interface Input {
  readonly kind: Kind;
  readonly value: Json;
}

/**
 * Has mutated files of checkpoints read: each is read, or refused by an error that is meant. Inputs that reach new code
 * are kept, and changed further.
 */
export async function fuzzModelFiles(count: number, seed: number): Promise<ModelFilesReport> {
  const random = new Random(seed);
  const corpus = await firstInputs();
  const first = corpus.length;
  using coverage = await Coverage.start(OURS);
  const verdicts: Record<string, number> = {};
  let slowestMs = 0;
  for (let done = 0; done < count; done++) {
    const from = corpus[random.below(corpus.length)]!;
    const input = done < first
      ? corpus[done]!
      : { ...from, value: mutated(from.value, corpus, random) };
    const began = performance.now();
    const verdict = `${input.kind} ${await verdictOf(
      input,
      random.below(2) === 0 ? PROMPT : strangeText(random),
    )}`;
    slowestMs = Math.max(slowestMs, performance.now() - began);
    verdicts[verdict] = (verdicts[verdict] ?? 0) + 1;
    if (await coverage.hasGrown() && done >= first) corpus.push(input);
  }
  const kept = corpus.length - first;
  return { files: count, verdicts, kept, blocks: coverage.blocks, slowestMs };
}

async function firstInputs(): Promise<Input[]> {
  const json = async (path: string): Promise<Json> =>
    JSON.parse(await Deno.readTextFile(new URL(path, FIXTURES)));
  const whole = await json("tokenizers/own/tokenizer.json") as Record<string, Json>;
  const model = whole.model as Record<string, Json>;
  // A few tokens do: with thousands, nearly all mutations would be of those.
  const vocab = Object.fromEntries(
    Object.entries(model.vocab as Record<string, Json>).slice(0, 300),
  );
  const known = (merge: Json): boolean => {
    const parts = typeof merge === "string" ? merge.split(" ") : merge as string[];
    return [...parts, parts.join("")].every((part) => part in vocab);
  };
  const merges = (model.merges as Json[]).filter(known);
  const small = { ...whole, model: { ...model, vocab, merges } };
  const steps = [
    { type: "Split", pattern: { Regex: "\\s+" }, behavior: "Isolated", invert: false },
    { type: "Digits", individual_digits: true },
    { type: "ByteLevel", add_prefix_space: false, use_regex: true },
  ];
  const cut = {
    ...small,
    normalizer: { type: "Sequence", normalizers: [{ type: "NFKC" }, { type: "Lowercase" }] },
    pre_tokenizer: { type: "Sequence", pretokenizers: steps },
  };
  const token = {
    content: "<s>",
    lstrip: true,
    rstrip: false,
    single_word: true,
    normalized: true,
  };
  return [
    { kind: "tokenizer.json", value: small },
    { kind: "tokenizer.json", value: cut },
    {
      kind: "tokenizer_config.json",
      value: {
        bos_token: token,
        added_tokens_decoder: { "0": token },
        tokenizer_class: "GPT2Tokenizer",
      },
    },
    { kind: "config.json", value: await json("tiny/config.json") },
    { kind: "config.json", value: await json("architectures/reordered_upcast/config.json") },
    { kind: "index", value: await json("architectures/sharded/model.safetensors.index.json") },
  ];
}

/** Says whether an input is read or refused. @throws Whatever is thrown that is not meant. */
async function verdictOf({ kind, value }: Input, prompt: string): Promise<string> {
  const text = JSON.stringify(value);
  try {
    if (kind === "index") parseShardIndex(text);
    else if (kind === "config.json") {
      parseArchitecture(text);
      parseBosId(text);
    } else {
      const small =
        '{"model":{"type":"BPE","vocab":{"a":0,"<s>":1},"merges":[]},"pre_tokenizer":{"type":"ByteLevel"}}';
      const files: Record<string, string> = { "tokenizer.json": small, [kind]: text };
      const read = (name: string): Promise<string | undefined> => Promise.resolve(files[name]);
      const { tokenizer } = await tokenizerOf(read, { vocabulary: 500, bosId: undefined });
      const { ids, ends } = tokenizer.encode(prompt, true);
      assert.equal(ids.length, ends.length);
      for (const id of ids) tokenizer.bytes(id);
    }
    return "is read";
  } catch (error) {
    const isMeant = error instanceof InfoflowError ||
      (error instanceof SyntaxError || error instanceof RangeError) &&
        /^Cannot (read|run|load) (?!properties)/.test(error.message);
    if (!isMeant) throw new Error(`${(error as Error).stack}\nof ${kind}: ${text}`);
    return "is refused";
  }
}

const ODD: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  3,
  1e308,
  2 ** 31,
  2 ** 53,
  "",
  " ",
  "a",
  "a b",
  "a b c",
  "Ġ",
  "\u2028",
  "\ud800",
  "ByteLevel",
  "Sequence",
  "NFD",
  "Split",
  "(",
  "(a+)+$",
  "__proto__",
  [],
  {},
  [[]],
  [null],
  [["a", "b"]],
  { type: "ByteLevel" },
  { type: null },
  { content: "a" },
];

/** A value with one place in it changed: to something odd, to a piece of another input, left out, or twice. */
function mutated(value: Json, corpus: readonly Input[], random: Random): Json {
  const copy = structuredClone({ value });
  for (let times = 1 + random.below(2); times > 0; times--) {
    const [holder, name] = anyPlace(copy, random);
    switch (random.below(5)) {
      case 0:
      case 1:
        holder[name] = structuredClone(ODD[random.below(ODD.length)]!);
        break;
      case 2: {
        const [from, other] = anyPlace(
          { value: corpus[random.below(corpus.length)]!.value },
          random,
        );
        holder[name] = structuredClone(from[other]!);
        break;
      }
      case 3:
        if (Array.isArray(holder)) holder.splice(Number(name), 1);
        else if (holder !== copy) delete holder[name];
        break;
      case 4:
        if (Array.isArray(holder)) holder.push(structuredClone(holder[Number(name)]!));
        else holder[String(ODD[random.below(ODD.length)])] = structuredClone(holder[name]!);
        break;
    }
  }
  return copy.value ?? null;
}

type Holder = Record<string, Json>;

/** A place in a value, each level of it as likely as another. */
function anyPlace(root: Holder, random: Random): [holder: Holder, name: string] {
  let [holder, name] = [root, "value"];
  while (random.below(4) > 0) {
    const value = holder[name];
    if (typeof value !== "object" || value === null) break;
    const names = Object.keys(value);
    if (names.length === 0) break;
    [holder, name] = [value as Holder, names[random.below(names.length)]!];
  }
  return [holder, name];
}
