/**
 * Writes the generated part of docs/api.md: every field of `schema.graphql` with its arguments, its link and what it
 * answers; and the flow methods into `schema.graphql`. `deno task api`; a test fails where a file is not what this
 * writes.
 */
import {
  buildSchema,
  getNamedType,
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isObjectType,
  isSpecifiedScalarType,
} from "graphql";
import { ANSWERS } from "../src/server/answers/list.ts";
import { pathOf } from "../src/server/links/paths.ts";
import { FLOW_METHODS } from "../src/requests/flow_methods.ts";
import { TYPE_DEFS } from "../src/server/schema.ts";

const FILE = new URL("api.md", import.meta.url);
const MARKER = "<!-- From here on written by `deno task api`. -->";
const schema = buildSchema(schemaWithMethods());

/** The whole file, its generated part made anew. */
export async function apiReference(): Promise<string> {
  const [written] = (await Deno.readTextFile(FILE)).split(MARKER);
  const fields = Object.values(schema.getQueryType()!.getFields());
  const types = Object.values(schema.getTypeMap()).filter((type) =>
    !type.name.startsWith("__") && !isSpecifiedScalarType(type) && type.name !== "Query"
  ).sort((a, b) => a.name < b.name ? -1 : 1);
  return [
    written!.trimEnd(),
    MARKER,
    "## Questions",
    ...fields.map(questionOf),
    "## Types",
    ...types.map(typeOf),
  ].join("\n\n") + "\n";
}

function questionOf({ name, description, args, type }: GraphQLField<unknown, unknown>): string {
  const link = name in ANSWERS ? [`\`GET ${pathOf(name)}\``] : [];
  const answer = `[\`${type}\`](#${getNamedType(type).name.toLowerCase()})`;
  return [
    `### ${name}`,
    description ?? "",
    `Answers ${[answer, ...link].join(", or by ")}.`,
    ...args.length > 0 ? [table(["argument", "type", "default", ""], args.map(argumentRow))] : [],
  ].filter(Boolean).join("\n\n");
}

function argumentRow({ name, type, defaultValue, description }: GraphQLArgument): string[] {
  const missing = defaultValue === undefined ? "" : `\`${plain(defaultValue)}\``;
  return [`\`${name}\``, `\`${type}\``, missing, description ?? ""];
}

function plain(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function typeOf(type: GraphQLNamedType): string {
  return [`### ${type.name}`, type.description ?? "", membersOf(type)].filter(Boolean).join("\n\n");
}

function membersOf(type: GraphQLNamedType): string {
  if (isEnumType(type)) {
    return table(
      ["value", ""],
      type.getValues().map((it) => [`\`${it.name}\``, it.description ?? ""]),
    );
  }
  if (!isObjectType(type) && !isInputObjectType(type)) return "";
  const fields = Object.values(type.getFields());
  return table(
    ["field", "type", ""],
    fields.map((field) => {
      const args = "args" in field ? (field.args as GraphQLArgument[]).map((it) => it.name) : [];
      const call = args.length > 0 ? `(${args.join(", ")})` : "";
      return [`\`${field.name}${call}\``, `\`${field.type}\``, field.description ?? ""];
    }),
  );
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replace(/\s+/g, " ").replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

/** `schema.graphql` with the flow methods of `src/requests/flow_methods.ts`. */
export function schemaWithMethods(): string {
  const values = Object.entries(FLOW_METHODS).map(([name, { says }]) =>
    `  ${JSON.stringify(says)}\n  ${name}\n`
  );
  return TYPE_DEFS.replace(/^enum Method \{\n[^}]*\}/m, `enum Method {\n${values.join("")}}`);
}

if (import.meta.main) {
  await Deno.writeTextFile(FILE, await apiReference());
  await Deno.writeTextFile(new URL("../schema.graphql", import.meta.url), schemaWithMethods());
}
