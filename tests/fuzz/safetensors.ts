import { crc32 } from "node:zlib";
import { parse, SafetensorsError } from "@infoflow/safetensors";
import { Random } from "../support/random.ts";
import { Coverage } from "./coverage.ts";
import { mutate } from "./mutate.ts";
import { VerdictReader } from "./verdict_reader.ts";

const FIXTURES = new URL("../fixtures/safetensors/", import.meta.url);
const BATCH = 5000;

/** What came of fuzzing the loader. */
export interface SafetensorsReport {
  readonly files: number;
  /** Files by our verdict: `ok`, or the code of the error. */
  readonly verdicts: Readonly<Record<string, number>>;
  /** Files on which the reference says otherwise, by the difference that the package's README explains. */
  readonly explained: Readonly<Record<string, number>>;
  /** The others, in base64; there ought to be none. */
  readonly unexplained: readonly {
    readonly ours: string;
    readonly theirs: string;
    readonly file: string;
  }[];
  /** Files that reached code that none before did. */
  readonly kept: number;
  /** The longest that a file took, in ms. */
  readonly slowestMs: number;
}

/**
 * Has mutated files read by our loader and by the format's own, and compares what they say.
 *
 * @param guided How many of them are kept, and mutated further, if they reach code that none before did.
 */
export async function fuzzSafetensors(
  count: number,
  seed: number,
  guided: number,
): Promise<SafetensorsReport> {
  const files: Uint8Array[] = [];
  for await (const { name } of Deno.readDir(FIXTURES)) {
    if (name.endsWith(".safetensors")) files.push(await Deno.readFile(new URL(name, FIXTURES)));
  }
  files.sort((a, b) => a.length - b.length); // whatever order the directory has
  const random = new Random(seed);
  const verdicts: Record<string, number> = {};
  const explained: Record<string, number> = {};
  const unexplained: SafetensorsReport["unexplained"][number][] = [];
  let slowestMs = 0;
  let kept = 0;
  let coverage: Coverage | undefined = await Coverage.start(/\/packages\/safetensors\//);
  await using reference = new VerdictReader(
    new URL("reference_verdicts.py", import.meta.url).pathname,
  );
  for (let done = 0; done < count;) {
    const batch: Uint8Array[] = [];
    const ours: Verdict[] = [];
    while (batch.length < Math.min(BATCH, count - done)) {
      const file = mutate(files, random);
      const began = performance.now();
      ours.push(verdict(file));
      slowestMs = Math.max(slowestMs, performance.now() - began);
      batch.push(file);
      if (!coverage) continue;
      if (await coverage.hasGrown() && files.push(file)) kept++;
      if (done + batch.length < guided) continue;
      coverage[Symbol.dispose]();
      coverage = undefined;
    }
    const theirs = reference.ask(batch);
    for (const [index, their] of (await theirs).entries()) {
      const { code, text } = ours[index]!;
      verdicts[code] = (verdicts[code] ?? 0) + 1;
      if (text === their) continue;
      const why = explanation(ours[index]!, their, batch[index]!);
      if (why) explained[why] = (explained[why] ?? 0) + 1;
      else unexplained.push({ ours: text, theirs: their, file: batch[index]!.toBase64() });
    }
    done += batch.length;
  }
  coverage?.[Symbol.dispose]();
  return { files: count, verdicts, explained, unexplained, kept, slowestMs };
}

interface Verdict {
  readonly code: string;
  /** In the words of `reference_verdicts.py`. */
  readonly text: string;
  readonly message: string;
}

function verdict(file: Uint8Array): Verdict {
  try {
    const { tensors, bytes } = parse(file);
    const lines = Array.from(
      tensors,
      ([name, { dtype, shape }]) =>
        `[${ascii(name)}, "${dtype}", [${shape.map((size) => `"${size}"`).join(", ")}], ${
          crc32(bytes(name))
        }]`,
    ).sort();
    return { code: "ok", text: `ok ${lines.join(" ")}`, message: "" };
  } catch (error) {
    if (!(error instanceof SafetensorsError)) throw error; // a crash
    return { code: error.code, text: error.code, message: error.message };
  }
}

function asShown(quoted: string, size: string): string {
  return BigInt(size) > Number.MAX_SAFE_INTEGER ? '"Infinity"' : quoted;
}

/** As Python writes a string in JSON. */
function ascii(text: string): string {
  return JSON.stringify(text).replace(
    /[\u007f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Which of the differences that the package's README names this is. */
function explanation(
  { code, message, text: ours }: Verdict,
  theirs: string,
  file: Uint8Array,
): string | undefined {
  if (code === "InvalidHeaderDeserialization" && /duplicate|twice/i.test(message)) {
    return "a key that comes twice is refused";
  }
  const text = new TextDecoder("latin1").decode(file);
  const offsets = Array.from(
    text.matchAll(/\[\s*(\d+)\s*,\s*(\d+)\s*\]/g),
    ([, from, to]) => `${from},${to}`,
  );
  const areBothRefused = code !== "ok" && !theirs.startsWith("ok");
  if (areBothRefused && new Set(offsets).size < offsets.length) {
    return "several tensors with the same two offsets: refused with the code of another of them";
  }
  if (ours === theirs.replace(/"(\d{16,})"/g, asShown)) {
    return "a size above 2^53 - 1 beside a size of 0 is shown as Infinity";
  }
  if (/\d[eE]\+?30[78]/.test(text)) {
    return "a number within a rounding error of the largest float64";
  }
  return undefined;
}
