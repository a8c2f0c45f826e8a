import {
  getNamedType,
  type GraphQLArgument,
  type GraphQLInputType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from "graphql";
import { QUERY_FIELDS } from "../schema.ts";

/** A link's parameter for an argument of a field. */
export interface LinkParameter {
  readonly name: string;
  readonly kind: ParameterKind;
  /** GraphQL's input type of an object. */
  readonly type: GraphQLInputType;
  /** The values of an enum. */
  readonly values: readonly string[];
  readonly isList: boolean;
  /** Whether it is required. */
  readonly isRequired: boolean;
  /** GraphQL's default value. */
  readonly missing: unknown;
}

/** How a value is written: `head` as `layer.head`, `object` as JSON, the others as in GraphQL. */
export type ParameterKind =
  | "string"
  | "integer"
  | "number"
  | "boolean"
  | "enum"
  | "token"
  | "head"
  | "object";

const KINDS: Readonly<Record<string, ParameterKind>> = {
  String: "string",
  ID: "string",
  Int: "integer",
  Float: "number",
  Boolean: "boolean",
  TokenName: "token",
  HeadInput: "head",
};

const PARAMETERS = new Map<string, readonly LinkParameter[]>();

/** The parameters of a link: the arguments of the field of that name, with the same defaults. */
export function linkParameters(field: string): readonly LinkParameter[] {
  const known = PARAMETERS.get(field) ?? QUERY_FIELDS[field]!.args.map(parameterOf);
  PARAMETERS.set(field, known);
  return known;
}

function parameterOf({ name, type, defaultValue }: GraphQLArgument): LinkParameter {
  const named = getNamedType(type);
  return {
    name,
    type,
    kind: kindOf(name, named),
    values: isEnumType(named) ? named.getValues().map((it) => it.name) : [],
    isList: isListType(isNonNullType(type) ? type.ofType : type),
    isRequired: isNonNullType(type) && defaultValue === undefined,
    missing: defaultValue,
  };
}

function kindOf(argument: string, type: GraphQLInputType): ParameterKind {
  if (isEnumType(type)) return "enum";
  const kind = KINDS[String(type)] ?? (isInputObjectType(type) ? "object" : undefined);
  if (!kind) throw new TypeError(`Cannot write ${argument} in a link as its type is ${type}`);
  return kind;
}
