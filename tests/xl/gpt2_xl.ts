/**
 * gpt2-xl whole, on random weights: makes its file of float16 (3.1 GB), loads it, holds its patterns against float64, and
 * says what it took. Not part of the gate: it takes minutes, 9 GB of memory and 3.1 GB of disk.
 *
 *     XDG_RUNTIME_DIR=/tmp deno run -A tests/xl/gpt2_xl.ts [--weights f32|f16] [--tokens T] [--layers N]
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parseArchitecture } from "../../src/requests/architecture/families.ts";
import { inOrder, type Parameter, sizeOf } from "../../src/requests/architecture/family.ts";
import { GPT2 } from "../../src/requests/architecture/gpt2.ts";
import { createEngine } from "../../src/thread/create_engine.ts";
import { allocatedBytes } from "../../src/engine/gpu/allocate.ts";
import { weightType } from "../../src/cli/weight_type.ts";
import { forward, type Weights } from "../reference/gpt2.ts";
import { assertClose } from "../support/assert_close.ts";
import { Random } from "../support/random.ts";

const { values } = parseArgs({
  options: {
    weights: { type: "string" },
    tokens: { type: "string", default: "256" },
    layers: { type: "string", default: "48" },
  },
});
/** gpt2-xl; patterns of 256 tokens take 157 MB, more than a software adapter binds at once. */
const CONFIG = JSON.stringify({
  model_type: "gpt2",
  n_layer: Number(values.layers),
  n_head: 25,
  n_embd: 1600,
  n_positions: 1024,
  vocab_size: 50257,
});
const FEW = 5;
/** Numbers that all tensors are cut from, at places of their own. */
const POOL = 2 ** 20;

const architecture = parseArchitecture(CONFIG);
const parameters = inOrder(GPT2.tensorsOf(architecture));
const directory = await Deno.makeTempDir({ prefix: "infoflow-xl-" });
try {
  await Deno.writeTextFile(join(directory, "config.json"), CONFIG);
  const path = join(directory, "model.safetensors");
  const places = await timed("writing the file", () => writeModel(path));
  const engine = await timed(
    "loading",
    () => createEngine({ directory, cacheBytes: 2 ** 32, weightType: weightType(values.weights) }),
  );
  said("after loading");
  const ids = (count: number): number[] =>
    Array.from({ length: count }, (_, i) => i === 0 ? 50256 : (7919 * i + 13) % 50256);
  const patterns = await timed(`a prompt of ${FEW}`, () => engine.patterns(ids(FEW)));
  for (const tokens of [14, Number(values.tokens)]) {
    const options = { byLayer: true, aggregation: "MEAN", bos: "DROP" } as const;
    const { flow } = await timed(
      `flow by layer of ${tokens} tokens`,
      () => engine.flow(ids(tokens), options),
    );
    for (let row = 0; row < flow.length; row += tokens - 1) {
      const sum = flow.subarray(row, row + tokens - 1).reduce((a, b) => a + b);
      assert(Math.abs(sum - 1) < 1e-4, `row ${row / (tokens - 1)} sums to ${sum}`);
    }
  }
  said("after all prompts");
  using file = Deno.openSync(path);
  const weights = { get: (name: string) => readTensor(file, places.get(name)!) };
  const expected = await timed(`float64 of ${FEW} tokens`, () => {
    const layers = forward(architecture, weights as unknown as Weights, ids(FEW));
    return Promise.resolve(layers.flatMap((it) => [...it.patterns]));
  });
  // 48 layers deep; the file's weights are of float16 anyway, so both kinds keep them exactly. Measured: 7e-6.
  assertClose(patterns, expected, { atol: 1e-4 });
  const worst = patterns.reduce((most, it, i) => Math.max(most, Math.abs(it - expected[i]!)), 0);
  console.log(
    `${patterns.length} numbers of patterns agree with float64, by ${worst.toExponential(1)}`,
  );
} finally {
  await Deno.remove(directory, { recursive: true });
}
Deno.exit(0);

/** Writes all tensors; where each begins in the file. */
async function writeModel(path: string): Promise<ReadonlyMap<string, Place>> {
  const header: Record<string, unknown> = {};
  let at = 0;
  for (const it of parameters) {
    const bytes = 2 * sizeOf(it);
    header[it.name] = { dtype: "F16", shape: it.shape, data_offsets: [at, at + bytes] };
    at += bytes;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const start = 8 + text.length;
  const places = new Map<string, Place>();
  using file = await Deno.open(path, { write: true, create: true });
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  await writeAll(file, length);
  await writeAll(file, text);
  const random = new Random(7);
  const pool = random.normals(POOL);
  const scaled = new Map<number, Float16Array<ArrayBuffer>>();
  let begin = start;
  for (const it of parameters) {
    const scale = scaleOf(it);
    const halves = scaled.get(scale) ?? Float16Array.from(pool, (value) => scale * value);
    scaled.set(scale, halves);
    places.set(it.name, { begin, size: sizeOf(it) });
    const isGain = /ln_\w+\.weight$/.test(it.name);
    for (let left = sizeOf(it); left > 0;) {
      const from = random.below(POOL);
      const part = halves.subarray(from, Math.min(POOL, from + left));
      const data = isGain ? Float16Array.from(part, (value) => 1 + value) : part;
      await writeAll(file, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
      left -= part.length;
    }
    begin += 2 * sizeOf(it);
  }
  return places;
}

/** Where a tensor is in the file, in bytes, and how many numbers it has. */
interface Place {
  readonly begin: number;
  readonly size: number;
}

/** A tensor by itself: the whole model would not fit beside the engine. */
function readTensor(file: Deno.FsFile, { begin, size }: Place): Float32Array {
  const bytes = new Uint8Array(2 * size);
  file.seekSync(begin, Deno.SeekMode.Start);
  for (let at = 0; at < bytes.length;) at += file.readSync(bytes.subarray(at))!;
  return new Float32Array(new Float16Array(bytes.buffer));
}

/** Sums come out of size 1 to 2, so that heads are peaked and depth doesn't drown what came before. */
function scaleOf({ name, shape }: Parameter): number {
  if (shape.length < 2) return 0.1;
  if (name.startsWith("w")) return 0.5;
  return (name.includes("c_proj") ? 0.3 : 2) / Math.sqrt(shape[0]!);
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const began = performance.now();
  const result = await work();
  console.log(`${what}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
  return result;
}

function said(when: string): void {
  const status = Deno.readTextFileSync("/proc/self/status");
  const peak = Number(status.match(/VmHWM:\s+(\d+)/)![1]) * 1024;
  const inGb = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;
  console.log(
    `${when}: the process has ${inGb(Deno.memoryUsage().rss)}, had ${inGb(peak)} at most; ` +
      `${inGb(allocatedBytes())} of it are the device's`,
  );
}
