import { parseArchitecture } from "../../src/requests/architecture/architecture.ts";
import { layerParameters, sharedParameters } from "../../src/requests/architecture/parameters.ts";
import { Random } from "./random.ts";
import { float32, type Tensor } from "./write_checkpoint.ts";

/** A model of random weights whose heads differ and whose norms are not 1 and 0. */
export function randomModel(config: Record<string, unknown>, seed: number): Map<string, Tensor> {
  const architecture = parseArchitecture(JSON.stringify(config));
  const random = new Random(seed);
  const parameters = sharedParameters(architecture);
  for (let l = 0; l < architecture.layers; l++) {
    parameters.push(...layerParameters(architecture, l));
  }
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
