import type { KeptFeatures } from "../activations/kept_features.ts";
import { keptAt } from "../activations/kept_sites.ts";
import { allocate } from "../gpu/allocate.ts";
import type { Run, RunPrompt } from "../passes/run.ts";
import { allocateFeatures } from "./feature_encoder.ts";
import { type ActiveFeatures, LISTED, sortFeatures } from "./active_features.ts";
import type { LoadedSae } from "./saes.ts";
import { siteOfSae } from "./site_of_sae.ts";

/** Bytes of one activation in a list. */
const BYTES = 4 * LISTED;
/** Bytes of a position's scales. */
const SCALES = 16;

/** A prompt's active features, and where they are kept. */
export interface EncodedPrompt extends ActiveFeatures {
  readonly kept: KeptFeatures;
  /** Whether nothing was encoded for it. */
  readonly wasKept: boolean;
}

/**
 * Finds the active features of a prompt with one readback, or two if there was too little room. Positions that were
 * encoded before are not encoded again.
 *
 * @throws {AllocationError} If the device has no room.
 */
export async function encodePrompt(
  device: GPUDevice,
  run: Run,
  { prompt, loaded }: { readonly prompt: RunPrompt; readonly loaded: LoadedSae },
): Promise<EncodedPrompt> {
  const { ids, activations } = prompt;
  const { sae, encoder } = loaded;
  const tokens = ids.length;
  let kept = activations.features.get(sae.name);
  if (kept && kept.rows >= tokens) {
    const bytes = kept.count * BYTES;
    const listed = bytes === 0 ? new Float32Array() : await run.read({
      result: [{ buffer: kept.buffer, bytes }],
    });
    return { ...sortFeatures(new Uint32Array(listed.buffer), tokens), kept, wasKept: true };
  }
  if (!kept) {
    const before = prompt.typedOn?.features.get(sae.name);
    const size = {
      activations: Math.max(encoder.roomFor(activations.capacity), before?.count ?? 0),
      positions: activations.capacity,
    };
    kept = await allocateFeatures(device, size);
    if (before) copy(device, before, kept);
    activations.features.set(sae.name, kept);
  }
  const first = kept.rows;
  const rows = tokens - first;
  await encoder.reserve(rows);
  const x = keptAt(activations, siteOfSae(sae.config)).createView();
  for (;;) {
    const list = kept;
    const { buffer } = list;
    const numbers = await run.read({
      encode: ({ pass }) => encoder.encode(pass, { x, first, rows }, list),
      result: [{ buffer: encoder.found, bytes: 16 }, { buffer, bytes: buffer.size }],
    });
    const words = new Uint32Array(numbers.buffer);
    const count = words[0]!;
    if (count * BYTES > buffer.size) {
      await grow(device, list, count);
      continue;
    }
    list.count = count;
    list.rows = tokens;
    const listed = words.slice(4, 4 + count * LISTED);
    return { ...sortFeatures(listed, tokens), kept, wasKept: false };
  }
}

/** Copies the active features of the prompt's beginning. */
function copy(device: GPUDevice, from: KeptFeatures, to: KeptFeatures): void {
  const encoder = device.createCommandEncoder({ label: "features of a prompt that is typed on" });
  if (from.count > 0) {
    encoder.copyBufferToBuffer(from.buffer, 0, to.buffer, 0, from.count * BYTES);
  }
  if (from.rows > 0) encoder.copyBufferToBuffer(from.scales, 0, to.scales, 0, from.rows * SCALES);
  device.queue.submit([encoder.finish()]);
  to.count = from.count;
  to.rows = from.rows;
}

/** Makes room for more activations and keeps the present ones. */
async function grow(device: GPUDevice, kept: KeptFeatures, count: number): Promise<void> {
  const { buffer: before } = kept;
  const buffer = await allocate(device, {
    label: before.label,
    bytes: count * BYTES,
    usage: before.usage,
  });
  const encoder = device.createCommandEncoder({ label: "features so far" });
  if (kept.count > 0) encoder.copyBufferToBuffer(before, 0, buffer, 0, kept.count * BYTES);
  device.queue.submit([encoder.finish()]);
  before.destroy();
  kept.buffer = buffer;
}
