// Files that somebody made to hold up, or to fill up, whoever reads them: refused by name, within two seconds and 200 MB,
// by a process that does nothing else.
import assert from "node:assert/strict";
import { join } from "node:path";
import { withCheckpoint } from "../support/write_checkpoint.ts";
import type { HostileReport } from "./read_hostile.ts";

const MOST_MS = 2000;
const MOST_MIB = 200;

type Made = (path: string) => Promise<void>;

async function pipe(path: string): Promise<void> {
  await new Deno.Command("mkfifo", { args: [path] }).output();
}

/** A file of any size that takes no room on the disk. */
async function hole(path: string): Promise<void> {
  await Deno.writeTextFile(path, "");
  await Deno.truncate(path, 4 * 2 ** 30);
}

/** A file with a text that begins somehow, repeats something up to some megabytes, and ends somehow. */
function text(begin: string, repeated: string, megabytes: number, end = ""): Made {
  const times = Math.floor(1e6 * megabytes / repeated.length);
  return (path) => Deno.writeTextFile(path, begin + repeated.repeat(times) + end);
}

/** A file with a number of things, each of which differs from the others. */
function list(begin: string, each: (index: number) => string, count: number, end: string): Made {
  const all = (): string => Array.from({ length: count }, (_, index) => each(index)).join(",");
  return (path) => Deno.writeTextFile(path, begin + all() + end);
}

const BPE =
  '"model":{"type":"BPE","vocab":{"a":0},"merges":[]},"pre_tokenizer":{"type":"ByteLevel"}';

const ANY_FILE: Readonly<Record<string, Made>> = {
  "a pipe": pipe,
  "a device that never ends": (path) => Deno.symlink("/dev/zero", path),
  "a directory": (path) => Deno.mkdir(path),
  "a file of 4 GiB": hole,
  "31 MB of brackets": text("", "[", 31),
  "31 MB of empty arrays": text("[", "[],", 31, "[]]"),
  "31 MB of short strings": text("{", '"a":1,', 31, '"a":1}'),
  "24 MB of numbers": text("[", "1,", 24, "1]"),
  "a string of 24 MB": text('{"model_type":"\u2028', "a", 24, '"}'),
  "24 MB of spaces": text("", " ", 24),
};

const FILES: Readonly<Record<string, Readonly<Record<string, Made>>>> = {
  "config.json": {
    ...ANY_FILE,
    "1 MB of numbers": text('{"model_type":[', "1,", 1, "1]}"),
    "values nested half a million deep": text('{"model_type":', "[", 0.5, "]".repeat(5e5) + "}"),
    "a name of 1 MB": text('{"model_type":"', "a", 1, '"}'),
  },
  "tokenizer.json": {
    ...ANY_FILE,
    "a vocabulary of 420,000": list(
      '{"model":{"type":"BPE","merges":[],"vocab":{',
      (id) => `"k${id}":${id}`,
      420_000,
      '}},"pre_tokenizer":{"type":"ByteLevel"}}',
    ),
    "an id of four billion": text('{"model":{"vocab":{"a":4294967294},"merges":[]}}', " ", 0),
    "a merge of 24 MB of spaces": text(
      '{"model":{"type":"BPE","vocab":{"a":0},"merges":["',
      " ",
      24,
      '"]}}',
    ),
    "100,000 added tokens": list(
      '{"added_tokens":[',
      (id) => `{"id":${id},"content":"t${id}"}`,
      100_000,
      `],${BPE}}`,
    ),
    "a normalizer in a normalizer, 300,000 times": text(
      '{"normalizer":',
      '{"type":"Sequence","normalizers":[',
      10,
      "]}".repeat(3e5) + `,${BPE}}`,
    ),
    "a pattern of 20 MB": text(
      '{"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","behavior":"Isolated","pattern":{"Regex":"',
      "(a|b)?",
      20,
      '"}},{"type":"ByteLevel"}]},"model":{"type":"BPE","vocab":{},"merges":[]}}',
    ),
  },
  "merges.txt": {
    "24 MB of lines": text("", "a b\n", 24),
    "24 MB of ends of lines": text("", "\n", 24),
    "a line of 24 MB": text("", "a", 24),
  },
  "special_tokens_map.json": {
    "400,000 special tokens": list(
      '{"additional_special_tokens":[',
      (id) => `"t${id}"`,
      400_000,
      "]}",
    ),
  },
  "model.safetensors.index.json": {
    "a pipe": pipe,
    "110,000 shards": list(
      '{"weight_map":{',
      (id) => `"t${id}":"m${id}.safetensors"`,
      110_000,
      "}}",
    ),
    "a name of 4 MB": text('{"weight_map":{"a":"', "b", 4, '"}}'),
    "4 MB of numbers": text('{"weight_map":[', "1,", 4, "1]}"),
  },
  "model.safetensors": { "a pipe": pipe },
};

/** What a file needs beside it to be looked at. */
const BESIDE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "merges.txt": { "vocab.json": '{"a":0}' },
  "special_tokens_map.json": { "tokenizer.json": `{${BPE}}` },
};

async function readBy(directory: string): Promise<HostileReport> {
  const script = new URL("./read_hostile.ts", import.meta.url).pathname;
  const args = ["run", "--allow-all", script, directory];
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
  const decoder = new TextDecoder();
  assert(stdout.length > 0, decoder.decode(stderr));
  return JSON.parse(decoder.decode(stdout));
}

for (const [name, kinds] of Object.entries(FILES)) {
  Deno.test(`a hostile ${name} is refused by name, within two seconds and 200 MB`, async (test) => {
    for (const [what, make] of Object.entries(kinds)) {
      await test.step(what, () =>
        withCheckpoint({}, async (directory) => {
          if (name.startsWith("model.")) await Deno.remove(join(directory, "model.safetensors"));
          await Deno.remove(join(directory, name)).catch(() => {});
          for (const [other, content] of Object.entries(BESIDE[name] ?? {})) {
            await Deno.writeTextFile(join(directory, other), content);
          }
          await make(join(directory, name));
          const { message, ms, cpuMs, mib } = await readBy(directory);
          // Of shards that are missing, the first is named.
          const isNamed = message?.includes(name.replace(".index.json", ""));
          assert(isNamed && message!.length < 1000, message?.slice(0, 1000) ?? "it is not refused");
          // A machine that does other things besides takes longer, but no more of a processor.
          assert(
            Math.min(ms, cpuMs) < MOST_MS && ms < 10 * MOST_MS,
            `${ms} ms, ${cpuMs} ms of work`,
          );
          assert(mib < MOST_MIB, `${mib} MiB`);
          console.log(`${name}: ${what}: ${ms.toFixed(0)} ms, ${mib.toFixed(0)} MiB`);
        }));
    }
  });
}
