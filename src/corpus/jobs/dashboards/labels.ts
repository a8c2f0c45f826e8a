import { basename, join } from "node:path";
import { InfoflowError } from "../../../errors.ts";
import { readIfThere } from "../../../files.ts";
import { bytesOf } from "../../input/bytes_of.ts";
import { expandInputs } from "../../input/expand_inputs.ts";
import { linesOf } from "../../input/lines_of.ts";
import { writeFile } from "../../output/write_file.ts";

/** An entry of Neuronpedia's exports of explanations, as far as it is read. */
interface Explanation {
  readonly modelId: string;
  /** The autoencoder, such as `8-res-jb`. */
  readonly layer: string;
  readonly index: string | number;
  readonly description: string;
}

/** The file of labels beside a run's parts. */
export const LABELS = "labels.json";

/**
 * Reads labels and puts them beside a run's parts: texts by the feature's number, `{"873": "…"}`, or Neuronpedia's
 * explanations, an array as JSON or a line each as JSONL, `.gz` or not. Of several explanations of a feature the first one
 * is taken, in the order of the files.
 *
 * @param files Names and patterns.
 * @throws {InfoflowError} BAD_USER_INPUT if a file has no labels, those of two autoencoders, or of no feature of this one.
 */
export async function placeLabels(
  directory: string,
  files: readonly string[],
  features: number,
): Promise<void> {
  const labels = new Map<number, string>();
  const sources = new Set<string>();
  for (const path of await expandInputs(files)) {
    const refuse = (why: string): InfoflowError =>
      new InfoflowError("BAD_USER_INPUT", `Cannot read labels in ${path} as ${why}`);
    for await (const [index, label, source] of entriesOf(path, refuse)) {
      const feature = Number(index);
      if (!Number.isInteger(feature) || feature < 0 || feature >= features) {
        throw refuse(`features are numbered from 0 to ${features - 1}: current value is ${index}`);
      }
      if (source !== undefined) sources.add(source);
      if (!labels.has(feature) && label.trim() !== "") labels.set(feature, label.trim());
    }
    if (sources.size > 1) {
      throw refuse(`it must be of one autoencoder: there are ${[...sources].join(", ")}`);
    }
  }
  const ordered = [...labels].sort(([a], [b]) => a - b);
  const text = JSON.stringify(Object.fromEntries(ordered), undefined, 1);
  await Deno.mkdir(directory, { recursive: true });
  await writeFile(join(directory, LABELS), [new TextEncoder().encode(`${text}\n`)]);
}

/** Labels that are beside a run's parts. */
export async function readLabels(directory: string): Promise<ReadonlyMap<number, string>> {
  const text = await readIfThere(join(directory, LABELS));
  if (text === undefined) return new Map();
  const labels = JSON.parse(text) as Record<string, string>;
  return new Map(Object.entries(labels).map(([feature, label]) => [Number(feature), label]));
}

type Entry = readonly [index: string | number, label: string, source: string | undefined];

async function* entriesOf(
  path: string,
  refuse: (why: string) => InfoflowError,
): AsyncGenerator<Entry> {
  if (/\.jsonl(\.gz|\.zst)?$/.test(basename(path))) {
    let line = 0;
    for await (const bytes of linesOf(path)) {
      line++;
      if (bytes.length > 0) yield entryOf(parse(bytes, refuse), refuse, `line ${line}`);
    }
    return;
  }
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of bytesOf(path)) pieces.push(new Uint8Array(piece));
  const all = parse(new Uint8Array(await new Blob(pieces).arrayBuffer()), refuse);
  if (Array.isArray(all)) {
    for (const [n, it] of all.entries()) yield entryOf(it, refuse, `entry ${n}`);
  } else if (typeof all === "object" && all !== null) {
    for (const [index, label] of Object.entries(all)) {
      if (typeof label !== "string") {
        throw refuse(`a label must be a text, which ${index}'s is not`);
      }
      yield [index, label, undefined];
    }
  } else throw refuse("it has neither texts by number nor explanations");
}

function parse(bytes: Uint8Array, refuse: (why: string) => InfoflowError): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw refuse(`it must be JSON: ${(error as Error).message}`);
  }
}

function entryOf(value: unknown, refuse: (why: string) => InfoflowError, where: string): Entry {
  const { modelId, layer, index, description } = (value ?? {}) as Partial<Explanation>;
  if (index === undefined || typeof description !== "string") {
    throw refuse(`each must have \`index\` and \`description\`: ${where} has not`);
  }
  const source = layer === undefined ? undefined : `${modelId} ${layer}`;
  return [index, description, source];
}
