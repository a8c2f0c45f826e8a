import type { LoadedModel } from "../answers/loaded_model.ts";
import type { AskedMatrix } from "./asked_matrix.ts";
import type { HeldBytes } from "./held_bytes.ts";

/** The request's context for resolvers. */
export interface GraphQLContext {
  /** The default one first. */
  readonly models: readonly LoadedModel[];
  /** Where links to this server begin, such as `http://127.0.0.1:8000`. */
  readonly origin: string;
  /** Hints beside the answer. */
  readonly hints: Set<string>;
  /** If the client accepts Arrow instead of JSON, the object that notes the matrix. */
  readonly asked?: AskedMatrix;
  /** The Arrow that the answer has. */
  readonly held: HeldBytes;
  /** The request's part of the log and the metrics. */
  readonly scope: { operation: string; code: string | undefined };
}
