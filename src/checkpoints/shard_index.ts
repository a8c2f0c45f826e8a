import { shown } from "../errors.ts";

/** Which file of a sharded checkpoint has each tensor. */
export type ShardIndex = ReadonlyMap<string, string>;

/** The most tensors that an index may list; no header has room for more either. */
const MOST_TENSORS = 1e6;

/**
 * Reads a `model.safetensors.index.json`. A shard's name must be that of a safetensors file beside the index.
 *
 * @throws {SyntaxError} If it is not JSON of that form.
 * @throws {RangeError} If a shard could lie elsewhere, or there is none.
 */
export function parseShardIndex(text: string): ShardIndex {
  const cannot = (rule: string): string => `Cannot read model.safetensors.index.json as ${rule}`;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new SyntaxError(cannot("it is not JSON"), { cause });
  }
  const map = isObject(value) ? value.weight_map : undefined;
  if (!isObject(map)) {
    throw new SyntaxError(cannot("it must have an object weight_map of tensors and their files"));
  }
  const entries = Object.entries(map);
  if (entries.length === 0 || entries.length > MOST_TENSORS) {
    throw new RangeError(
      cannot(
        `weight_map must name 1 to ${MOST_TENSORS} tensors: current value is ${entries.length}`,
      ),
    );
  }
  for (const [tensor, file] of entries) {
    if (typeof file === "string" && /^\w[\w.-]*\.safetensors$/.test(file)) continue;
    throw new RangeError(
      cannot(
        `each tensor must be in a safetensors file of the same directory: current value of ${
          shown(tensor)
        } is ${shown(file)}`,
      ),
    );
  }
  return new Map(entries as [string, string][]);
}

/** The files of a sharded checkpoint, each once. */
export function shardsOf(index: ShardIndex): string[] {
  return [...new Set(index.values())].sort();
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
