import Negotiator from "negotiator";
import { type Format, FORMATS, MEDIA_TYPES } from "../arrow/form.ts";
import { AskedMatrix } from "../graphql/asked_matrix.ts";
import type { GraphQLContext } from "../graphql/context.ts";
import type { Yoga } from "../graphql/yoga.ts";
import { arrowRepresentation, type RecentFiles } from "./arrow_representations.ts";
import { respond } from "./representation.ts";

const JSON_TYPE = "application/graphql-response+json";
/** What most programs send: the first of what there is will do. */
const ANYTHING = "*/*";

/** The Arrow format that a client of GraphQL prefers to JSON, if it does. */
export function wantedArrow(request: Request): Format | undefined {
  const headers = { accept: request.headers.get("accept") ?? undefined };
  const types = [JSON_TYPE, "application/json", ...Object.values(MEDIA_TYPES)];
  const [best] = new Negotiator({ headers }).mediaTypes(types);
  return FORMATS.find((format) => MEDIA_TYPES[format] === best);
}

/** Whether a client of a link prefers CSV to Arrow. */
export function wantsCsv(request: Request): boolean {
  const accept = request.headers.get("accept") ?? ANYTHING;
  if (accept === ANYTHING) return false;
  const headers = { accept };
  const [best] = new Negotiator({ headers }).mediaTypes([
    ...Object.values(MEDIA_TYPES),
    "text/csv",
  ]);
  return best === "text/csv";
}

/**
 * Answers a query that selects one matrix with its bytes, or with the errors of the query in JSON.
 *
 * @throws {InfoflowError} BAD_USER_INPUT if the query selects no matrix, or several; what the matrix throws.
 */
export async function arrowAnswer(
  request: Request,
  format: Format,
  { yoga, context, recent }: { yoga: Yoga; context: GraphQLContext; recent: RecentFiles },
): Promise<Response> {
  const asked = new AskedMatrix();
  const headers = new Headers(request.headers);
  headers.set("accept", JSON_TYPE);
  const answer = await yoga.fetch(new Request(request, { headers }), { ...context, asked });
  const text = await answer.text();
  if (!answer.ok || JSON.parse(text).errors) return new Response(text, answer);

  const { matrix, layout } = asked.only;
  const response = await respond(request, arrowRepresentation(matrix, { layout, format }, recent));
  response.headers.append("vary", "accept");
  return response;
}
