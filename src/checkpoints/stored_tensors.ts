import type { Architecture } from "../requests/architecture/architecture.ts";
import type { Parameter } from "../requests/architecture/family.ts";
import { UNEMBEDDING } from "../requests/architecture/gpt2.ts";
import type { StoredTensor } from "./weight_files.ts";

/** Parameters by name, and the tensors that have them; a bias that a model does without is null. */
export type StoredTensors = ReadonlyMap<string, StoredTensor | null>;

const EMBEDDING = "wte.weight";
/** A tensor that every checkpoint has under this name: a prefix before it is the prefix of all names. */
const ANCHOR = "wpe.weight";
const BASE = "transformer.";

/**
 * Finds a model's tensors among those of its files. Names may begin with `transformer.`, and before that with what
 * other programs put there, such as `_orig_mod.` or `module.`. A tied embedding may be kept under the unembedding's name,
 * and a bias that no layer has is a bias of zeros.
 *
 * @throws {RangeError} If a tensor is missing, or it can't be told which model is meant.
 */
export function storedTensors(
  stored: ReadonlyMap<string, StoredTensor>,
  parameters: readonly Parameter[],
  { isTied }: Architecture,
): StoredTensors {
  const prefix = prefixOf(stored);
  const outer = prefix.endsWith(BASE) ? prefix.slice(0, -BASE.length) : prefix;
  const find = (name: string): StoredTensor | undefined => {
    if (name === UNEMBEDDING) return stored.get(outer + name);
    const found = stored.get(prefix + name);
    return found ?? (name === EMBEDDING && isTied ? stored.get(outer + UNEMBEDDING) : undefined);
  };
  const kinds = new Set(
    parameters.filter(({ name }) => find(name)).map(({ name }) => kindOf(name)),
  );
  return new Map(parameters.map(({ name }) => {
    const found = find(name);
    if (found) return [name, found];
    if (name.endsWith(".bias") && !kinds.has(kindOf(name))) return [name, null];
    throw new RangeError(
      `Cannot load the model as its weights have no tensor ${name}: those that they have are called ${
        [...stored.keys()].slice(0, 3).join(", ")
      }, …`,
    );
  }));
}

/** A tensor's name with `*` for the number of its layer. */
function kindOf(name: string): string {
  return name.replace(/\d+/, "*");
}

function prefixOf(stored: ReadonlyMap<string, StoredTensor>): string {
  const anchors = [...stored.keys()].filter((name) =>
    name === ANCHOR || name.endsWith(`.${ANCHOR}`)
  );
  if (anchors.length > 1) {
    throw new RangeError(
      `Cannot load the model as its weights must be those of one: current value has ${
        anchors.join(" and ")
      }`,
    );
  }
  return anchors[0]?.slice(0, -ANCHOR.length) ?? "";
}
