import { type GrowingBuffer } from "../../gpu/growing_buffer.ts";
import type { LayerPlan } from "./schedule.ts";

/** The alignment of storage bindings' offsets on every device. */
const ALIGNMENT = 256;

/** Where the tables of a layer begin, in bytes. */
export interface TablePlaces {
  readonly attention: number;
  readonly streams: number;
  readonly lastRows: number;
  readonly middles: number;
}

/** The tables of all layers in one buffer, one after the other. */
export interface PlacedTables {
  readonly buffer: GPUBuffer;
  readonly places: readonly TablePlaces[];
  /** The bytes of a binding at any of these offsets. */
  readonly attentionBytes: number;
  readonly rowsBytes: number;
}

/**
 * Puts the tables of a batch on the device.
 *
 * @throws {AllocationError} If the device has no room.
 */
export async function placeTables(
  device: GPUDevice,
  growing: GrowingBuffer,
  plans: readonly LayerPlan[],
): Promise<PlacedTables> {
  let bytes = 0;
  const tables: { readonly offset: number; readonly words: Uint32Array<ArrayBuffer> }[] = [];
  const place = (words: Uint32Array<ArrayBuffer> | undefined): number => {
    if (!words) return 0;
    const offset = bytes;
    tables.push({ offset, words });
    bytes += Math.ceil(words.byteLength / ALIGNMENT) * ALIGNMENT;
    return offset;
  };
  const places = plans.map(({ attention, streams, lastRows, middles }) => ({
    attention: place(attention),
    streams: place(streams),
    lastRows: place(lastRows),
    middles: place(middles),
  }));
  const attentionBytes = Math.max(...plans.map(({ attention }) => attention.byteLength));
  const rowsBytes = Math.max(
    4,
    ...plans.flatMap(({ streams, lastRows, middles }) =>
      [streams, lastRows, middles].map((words) => words?.byteLength ?? 0)
    ),
  );
  // So that a binding at the last table's offset ends within the buffer.
  const all = new Uint32Array((bytes + Math.max(attentionBytes, rowsBytes)) / 4);
  for (const { offset, words } of tables) all.set(words, offset / 4);
  const buffer = await growing.atLeast(all.byteLength);
  device.queue.writeBuffer(buffer, 0, all, 0, bytes / 4);
  return { buffer, places, attentionBytes, rowsBytes };
}
