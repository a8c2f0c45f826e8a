import {
  areChanges,
  areHeads,
  type Call,
  given,
  type Patch,
  type Scaling,
  type Value,
} from "./call.ts";

/** The question as a document of GraphQL. */
export function documentOf(call: Call): string {
  const args = given(call).map(([name, value]) => `    ${name}: ${literal(value)}\n`);
  const { field, selects } = call;
  return `query Shown {\n  ${field}(\n${args.join("")}  ) {\n    ${selects}\n  }\n}\n`;
}

/** A value as GraphQL writes it. */
export function literal(value: Value): string {
  if (typeof value === "string") return JSON.stringify(value.toWellFormed());
  if (areChanges(value)) return `[${value.map(change).join(", ")}]`;
  if (areHeads(value)) {
    return `[${value.map(({ layer, head }) => `{layer: ${layer}, head: ${head}}`).join(", ")}]`;
  }
  if (Array.isArray(value)) return `[${value.join(", ")}]`;
  if (typeof value === "object" && "word" in value) return value.word;
  return String(value);
}

/** A change as GraphQL writes it: sites and actions are words there. */
function change({ site, action, ...others }: Patch | Scaling): string {
  return `{${[`site: ${site}`, `action: ${action}`, ...membersOf(others)].join(", ")}}`;
}

function membersOf(object: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(object).map(([name, value]) =>
    name === "feature"
      ? `feature: {${membersOf(value as Scaling["feature"]).join(", ")}}`
      : `${name}: ${literal(value as Value)}`
  );
}
