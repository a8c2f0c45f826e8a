import { parseConfig } from "../../src/requests/architecture/config.ts";
import { familyOf } from "../../src/requests/architecture/families.ts";
import { hostTensors } from "../../src/requests/architecture/family.ts";
import { Random } from "./random.ts";
import { float32, type Tensor } from "./write_checkpoint.ts";

/** A model of random weights whose heads differ and whose norms are not 1 and 0. */
export function randomModel(config: Record<string, unknown>, seed: number): Map<string, Tensor> {
  const parsed = parseConfig(JSON.stringify(config));
  const family = familyOf(parsed);
  const tensors = family.tensorsOf(family.architectureOf(parsed));
  const random = new Random(seed);
  const { weight, bias } = tensors.finalNorm;
  const layers = tensors.layers.flat().flatMap((part) => [part.weight, part.bias]);
  const parameters = [...hostTensors(tensors), weight, bias, ...layers];
  return new Map(parameters.map(({ name, shape }) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const isMatrix = shape.length === 2;
    // Sums over K inputs of size 1 come out of size 2: heads are peaked, and scores are not lost in noise.
    const numbers = random.normals(count, isMatrix ? 2 / Math.sqrt(shape[0]!) : 0.5);
    if (name.startsWith("w")) numbers.forEach((_, i) => numbers[i] = random.normal());
    if (/ln_\d\.weight/.test(name)) numbers.forEach((v, i) => numbers[i] = v + 1);
    return [name, float32(shape, numbers)];
  }));
}
