import { buildSchema, getNamedType, type GraphQLField, isObjectType } from "graphql";
import typeDefs from "../../schema.graphql" with { type: "text" };

/** The text of `schema.graphql`. */
export const TYPE_DEFS: string = typeDefs;

/** The fields of `Query` by name. */
export const QUERY_FIELDS: Readonly<Record<string, GraphQLField<unknown, unknown>>> = buildSchema(
  typeDefs,
).getQueryType()!.getFields();

/** The arguments of a field with defaults, also for null, which typed clients send for arguments that are not set. */
export function withDefaults(
  field: string,
  args: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const defaults = QUERY_FIELDS[field]!.args.map(({ name, defaultValue }) => [name, defaultValue]);
  const given = Object.entries(args).filter(([, value]) => value !== null);
  return { ...Object.fromEntries(defaults), ...Object.fromEntries(given) };
}

/** Whether the answers of a field are matrices, which have several layouts as Arrow. */
export function isMatrixField(field: string): boolean {
  return hasField(field, "matrix");
}

/** Whether the answers of a field have a link of their own. */
export function isLinkedField(field: string): boolean {
  return hasField(field, "url");
}

/** The type of a field's answers, such as `NextTokens`. */
export function typeOf(field: string): string {
  return getNamedType(QUERY_FIELDS[field]!.type).name;
}

/** Whether the type of a field's answers has a field of some name. */
export function hasField(field: string, name: string): boolean {
  const type = getNamedType(QUERY_FIELDS[field]!.type);
  return isObjectType(type) && name in type.getFields();
}
