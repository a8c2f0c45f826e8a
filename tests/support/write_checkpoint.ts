import { join } from "node:path";
import { open } from "@infoflow/safetensors";
import { TINY } from "./fixtures.ts";

/** A tensor to write. */
export interface Tensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** The bytes of a safetensors file. */
export function safetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const header: Record<string, unknown> = metadata ? { __metadata__: metadata } : {};
  let at = 0;
  for (const [name, { dtype, shape, bytes }] of tensors) {
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
  }
  const text = new TextEncoder().encode(JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + at);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  at = 8 + text.length;
  for (const { bytes } of tensors.values()) {
    file.set(bytes, at);
    at += bytes.length;
  }
  return file;
}

/** A float32 tensor. */
export function float32(shape: readonly number[], numbers: Float32Array<ArrayBuffer>): Tensor {
  return { dtype: "F32", shape, bytes: new Uint8Array(numbers.buffer) };
}

/** The tensors of the tiny model, to be changed. */
export async function tinyTensors(): Promise<Map<string, Tensor>> {
  await using file = await open(join(TINY, "model.safetensors"));
  const tensors = new Map<string, Tensor>();
  for (const [name, { dtype, shape }] of file.tensors) {
    tensors.set(name, { dtype, shape, bytes: await file.read(name) });
  }
  return tensors;
}

/** The config of the tiny model, to be changed. */
export async function tinyConfig(): Promise<Record<string, unknown>> {
  return JSON.parse(await Deno.readTextFile(join(TINY, "config.json")));
}

/** Writes a model into a new directory for as long as `use` runs. */
export async function withCheckpoint(
  { config, tensors }: { config?: unknown; tensors?: ReadonlyMap<string, Tensor> },
  use: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "infoflow-" });
  try {
    const text = JSON.stringify(config ?? await tinyConfig());
    await Deno.writeTextFile(join(directory, "config.json"), text);
    const bytes = safetensors(tensors ?? await tinyTensors());
    await Deno.writeFile(join(directory, "model.safetensors"), bytes);
    await use(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
