import type { LoadedModel } from "../infoflow.ts";

/** What resolvers know of the request. */
export interface GraphQLContext {
  readonly model: LoadedModel;
  /** Where links to this server begin, such as `http://127.0.0.1:8000`. */
  readonly origin: string;
}
