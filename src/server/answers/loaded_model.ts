import type { Tokenizer } from "../../tokens/tokenizer.ts";
import type { Helper } from "../helper/helper.ts";
import type { Dashboards } from "../dashboards/dashboards.ts";
import type { ModelClient } from "../queue/model_client.ts";
import type { LongTexts } from "./long_texts.ts";

/** A model by its name, and the engine that runs it. */
export interface LoadedModel {
  /** The helper thread for large encodings and long texts; without one, the main thread does them. */
  readonly helper?: Helper;
  /** The texts that its tokenizer has read. */
  readonly longTexts?: LongTexts;
  readonly name: string;
  /** Whether it is not the default model; then links to its answers name it. */
  readonly isFurther?: boolean;
  readonly engine: ModelClient;
  /** Its tokenizer, if it is not GPT-2's. */
  readonly tokenizer?: Tokenizer;
  /** Dashboards of its autoencoders' features over a corpus, by the autoencoder's name. */
  readonly dashboards?: ReadonlyMap<string, Dashboards>;
  /** A note on its tokenizer, or on questions that it can't answer. */
  readonly note?: string | undefined;
}
