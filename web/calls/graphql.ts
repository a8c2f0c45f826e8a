import { areHeads, arePatches, type Call, given, type Patch, type Value } from "./call.ts";

/** The question as a document of GraphQL. */
export function documentOf(call: Call): string {
  const args = given(call).map(([name, value]) => `    ${name}: ${literal(value)}\n`);
  const { field, selects } = call;
  return `query Shown {\n  ${field}(\n${args.join("")}  ) {\n    ${selects}\n  }\n}\n`;
}

/** A value as GraphQL writes it. */
export function literal(value: Value): string {
  if (typeof value === "string") return JSON.stringify(value.toWellFormed());
  if (arePatches(value)) return `[${value.map(patch).join(", ")}]`;
  if (areHeads(value)) {
    return `[${value.map(({ layer, head }) => `{layer: ${layer}, head: ${head}}`).join(", ")}]`;
  }
  if (Array.isArray(value)) return `[${value.join(", ")}]`;
  if (typeof value === "object" && "word" in value) return value.word;
  return String(value);
}

/** A change as GraphQL writes it: sites and actions are words there. */
function patch({ site, action, ...others }: Patch): string {
  const members = Object.entries(others).map(([name, value]) => `${name}: ${literal(value)}`);
  return `{${[`site: ${site}`, `action: ${action}`, ...members].join(", ")}}`;
}
