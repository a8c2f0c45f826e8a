import {
  buildSchema,
  type GraphQLInputType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
} from "graphql";
import typeDefs from "../../schema.graphql" with { type: "text" };
import type { Random } from "../support/random.ts";
import { strangeText } from "./strange_text.ts";

/** A GraphQL request as a client may send it, right or wrong. */
export interface GeneratedRequest {
  readonly query: string;
  readonly variables: Record<string, unknown>;
}

/** Makes queries out of the schema: mostly right ones, with wrong values, names and forms strewn in. */
export class QueryGenerator {
  readonly #schema: GraphQLSchema = buildSchema(typeDefs);
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Makes a request. */
  next(): GeneratedRequest {
    const variables: Record<string, unknown> = {};
    const declared: string[] = [];
    const selection = this.#selection(this.#schema.getQueryType()!, 0, (type, value) => {
      const name = `v${declared.length}`;
      declared.push(`$${name}: ${type}`);
      variables[name] = value;
      return `$${name}`;
    });
    const head = declared.length > 0 ? `query Fuzz(${declared.join(", ")}) ` : "";
    let query = head + selection;
    if (this.#chance(12)) query = this.#damaged(query);
    return { query, variables };
  }

  #selection(type: GraphQLOutputType, depth: number, bind: Bind): string {
    if (isNonNullType(type) || isListType(type)) return this.#selection(type.ofType, depth, bind);
    if (!isObjectType(type)) return "";
    const fields = Object.values(type.getFields());
    const parts: string[] = [];
    for (let count = 1 + this.#random.below(depth === 0 ? 3 : 4); count > 0; count--) {
      if (this.#chance(30)) {
        parts.push(["__typename", "nothing", "...{ __typename }"][this.#random.below(3)]!);
        continue;
      }
      const field = fields[this.#random.below(fields.length)]!;
      const given = field.args.filter((arg) =>
        isNonNullType(arg.type) && arg.defaultValue === undefined || this.#chance(3)
      );
      const args = given.map((arg) => `${arg.name}: ${this.#argument(arg.type, arg.name, bind)}`);
      const alias = depth === 0 || this.#chance(8) ? `a${this.#random.below(1000)}: ` : "";
      const directive = this.#chance(25) ? ` @include(if: ${this.#chance(2)})` : "";
      parts.push(
        `${alias}${field.name}${args.length > 0 ? `(${args.join(", ")})` : ""}${directive} ${
          this.#selection(field.type, depth + 1, bind)
        }`,
      );
    }
    return `{ ${parts.join(" ")} }`;
  }

  #argument(type: GraphQLInputType, name: string, bind: Bind): string {
    const value = this.#value(type, name);
    return this.#chance(3) ? bind(String(type), value) : literal(value);
  }

  #value(type: GraphQLInputType, name: string): unknown {
    if (this.#chance(30)) {
      return [
        null,
        -1,
        1e9,
        2 ** 31,
        1.5,
        true,
        "MEAN",
        [],
        {},
        strangeText(this.#random),
      ][this.#random.below(10)];
    }
    if (isNonNullType(type)) return this.#value(type.ofType, name);
    if (isListType(type)) {
      return Array.from({ length: this.#random.below(4) }, () => this.#value(type.ofType, name));
    }
    if (isEnumType(type)) {
      const values = type.getValues();
      return new Enum(values[this.#random.below(values.length)]!.name);
    }
    if (isInputObjectType(type)) {
      return Object.fromEntries(
        Object.values(type.getFields()).map((
          field,
        ) => [field.name, this.#value(field.type, field.name)]),
      );
    }
    if (!isScalarType(type)) return null;
    switch (type.name) {
      case "Int":
        return this.#random.below(10);
      case "Float":
        return this.#random.uniform();
      case "Boolean":
        return this.#chance(2);
      default:
        return name === "model" ? "bundled" : strangeText(this.#random);
    }
  }

  #damaged(query: string): string {
    const at = this.#random.below(query.length);
    const pieces = [
      "}",
      "{",
      "(",
      '"',
      "$",
      "...",
      "#",
      "\u0000",
      "\ud800",
      "@",
      "fragment F on Query { model { name } }",
    ];
    return query.slice(0, at) + pieces[this.#random.below(pieces.length)] +
      query.slice(at + this.#random.below(3));
  }

  #chance(one: number): boolean {
    return this.#random.below(one) === 0;
  }
}

/** Declares a variable and gives its name. */
type Bind = (type: string, value: unknown) => string;

/** An enum's value, which is no string in a query, but one in variables. */
class Enum {
  constructor(readonly name: string) {}

  toJSON(): string {
    return this.name;
  }
}

function literal(value: unknown): string {
  if (value instanceof Enum) return value.name;
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value === "object" && value !== null) {
    return `{${Object.entries(value).map(([name, one]) => `${name}: ${literal(one)}`).join(", ")}}`;
  }
  return JSON.stringify(value);
}
