import { InfoflowError } from "../../errors.ts";
import type { Architecture } from "../../requests/architecture/architecture.ts";
import type { SaeConfig } from "../../requests/sae/sae_config.ts";

/**
 * Checks that an autoencoder is one of a model's activations.
 *
 * @throws {InfoflowError} BAD_USER_INPUT, with what the two differ in.
 */
export function checkSaeFits(
  name: string,
  { inputs, outputs, layer, hook }: SaeConfig,
  { channels, layers }: Architecture,
): void {
  const refuse = (rule: string, value: string | number): never => {
    throw new InfoflowError(
      "BAD_USER_INPUT",
      `Cannot use the autoencoder ${name} with this model as ${rule}: current value is ${value}`,
    );
  };
  if (inputs !== channels) refuse(`the model's activations have ${channels} channels`, inputs);
  if (outputs !== channels) refuse(`the model's activations have ${channels} channels`, outputs);
  if (layer >= layers) refuse(`the model has ${layers} layers, and the hook must be in one`, hook);
}
