import { createHash } from "node:crypto";
import { FEATURE_TABLES } from "../answers/feature_tables.ts";
import type { LoadedModel } from "../answers/loaded_model.ts";
import { EXTENSIONS, MEDIA_TYPES } from "../arrow/form.ts";
import { kindOf } from "../links/paths.ts";
import { readLink } from "../links/read_link.ts";
import { respond } from "./representation.ts";

/** A question about features over a corpus. */
export type FeatureField = keyof typeof FEATURE_TABLES;

/** Answers a link such as `/feature.arrow?sae=res-4&index=873`. */
export async function featureArrow(
  field: FeatureField,
  request: Request,
  models: readonly LoadedModel[],
): Promise<Response> {
  const { args } = readLink(field, new URL(request.url).search, { isMatrix: false });
  const bytes = await FEATURE_TABLES[field](models, args);
  const tag = createHash("sha256").update(bytes).digest("hex").slice(0, 32);
  return await respond(request, {
    type: MEDIA_TYPES.stream,
    filename: `${kindOf(field)}-${tag.slice(0, 8)}.${EXTENSIONS.stream}`,
    tag,
    bytes: () => Promise.resolve(bytes),
  });
}
