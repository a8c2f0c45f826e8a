import { inShape } from "../../errors.ts";
import type { Architecture } from "./architecture.ts";
import { type Config, expect, parseConfig } from "./config.ts";
import type { Family } from "./family.ts";
import { GPT2 } from "./gpt2.ts";

/** The families of models that can be run. */
const FAMILIES: readonly Family[] = [GPT2];

/**
 * Finds the family of a model.
 *
 * @throws {RangeError} If it is of none.
 */
export function familyOf(config: Config): Family {
  const type = expect(config, "model_type", FAMILIES.map(({ modelType }) => modelType), undefined);
  return FAMILIES.find(({ modelType }) => modelType === type)!;
}

/**
 * Reads a Hugging Face `config.json`.
 *
 * @param text The file's text.
 * @throws {SyntaxError} If it is not a JSON object.
 * @throws {RangeError} If it describes a model that Infoflow can't run right; the text names the option.
 */
export function parseArchitecture(text: string): Architecture {
  const config = parseConfig(text);
  return inShape("config.json", () => familyOf(config).architectureOf(config));
}
