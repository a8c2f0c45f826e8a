import { coerceInputValue } from "graphql";
import { type ArrowForm, DEFAULT_FORM, FORMATS, LAYOUTS } from "../arrow/form.ts";
import { InfoflowError } from "../../errors.ts";
import { type LinkParameter, linkParameters } from "./link_parameters.ts";
import { Query } from "./query.ts";

/** The question of a link. */
export interface Link {
  /** The arguments of its field, with defaults. */
  readonly args: Readonly<Record<string, unknown>>;
  readonly form: ArrowForm;
}

/**
 * Reads the query of a link, such as `?prompt=Hello&layers=0,1&ablate=3.1,3.2`. Its parameters are the arguments of the
 * link's field in `schema.graphql`: lists are separated by commas or given several times, heads are `layer.head`,
 * objects are JSON. Matrices take `layout` and `format` too.
 *
 * @param search The URL's query, `?` included.
 * @throws {InfoflowError} BAD_USER_INPUT, with what there is.
 */
export function readLink(
  field: string,
  search: string,
  { isMatrix }: { readonly isMatrix: boolean },
): Link {
  const parameters = linkParameters(field);
  const names = parameters.map(({ name }) => name);
  const query = new Query(search, isMatrix ? [...names, "layout", "format"] : names);
  const form = {
    layout: query.choice("layout", LAYOUTS) ?? DEFAULT_FORM.layout,
    format: query.choice("format", FORMATS) ?? DEFAULT_FORM.format,
  };
  return { args: Object.fromEntries(parameters.map((it) => [it.name, valueOf(it, query)])), form };
}

function valueOf(parameter: LinkParameter, query: Query): unknown {
  const { name, missing, isRequired } = parameter;
  const value = parameter.isList ? listOf(parameter, query) : oneOf(parameter, query);
  if (value === undefined && isRequired) {
    throw new InfoflowError("BAD_USER_INPUT", `Cannot read the link as ${name} is not given`);
  }
  if (value === undefined) return missing;
  return parameter.kind === "object" ? checked(parameter, value) : value;
}

/** Checks an object as GraphQL would, and fills in its defaults. */
function checked({ name, type }: LinkParameter, value: unknown): unknown {
  return coerceInputValue(value, type, (path, _, { message }) => {
    throw new InfoflowError(
      "BAD_USER_INPUT",
      `Cannot read the link as ${[name, ...path].join(".")} is not right: ${message}`,
    );
  });
}

function oneOf({ name, kind, values }: LinkParameter, query: Query): unknown {
  switch (kind) {
    case "string":
      // An empty prompt has a code of its own.
      return name === "prompt" ? query.text(name) : query.text(name) || undefined;
    case "integer":
      return query.integer(name);
    case "number":
      return query.number(name);
    case "boolean":
      return query.boolean(name);
    case "enum":
      return query.choice(name, values);
    case "token":
      return query.token(name);
    case "head":
      return query.heads(name)?.[0];
    case "object":
      return query.object(name);
  }
}

function listOf({ name, kind, values }: LinkParameter, query: Query): unknown[] | undefined {
  switch (kind) {
    case "integer":
      return query.integers(name);
    case "number":
      return query.numbers(name);
    case "head":
      return query.heads(name);
    case "enum":
      return query.choices(name, values);
    case "token":
      return query.tokens(name);
    case "object":
      return query.objects(name);
    case "string":
    case "boolean":
      return query.texts(name);
  }
}
