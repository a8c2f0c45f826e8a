import { areChanges, areHeads, type Call, given, type Value } from "./call.ts";

/**
 * A line of Python that asks the same, with the package infoflow.
 *
 * @param server Where the server is, if it requires a token.
 */
export function pythonOf(call: Call, result: string, server?: string): string {
  const args = given(call).map(([name, value]) =>
    name === "prompt" ? literal(value) : `${snake(name)}=${literal(value)}`
  );
  const name = call.field === "infoFlow" ? "flow" : snake(call.field);
  const client = server === undefined
    ? "infoflow"
    : `infoflow.connect(${text(server)}, token="TOKEN")`;
  return `import infoflow; ${name} = ${client}.${name}(${args.join(", ")})${result}`;
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function literal(value: Value): string {
  if (typeof value === "string") return text(value);
  if (typeof value === "boolean") return value ? "True" : "False";
  if (areChanges(value)) return JSON.stringify(value);
  if (areHeads(value)) {
    return `[${value.map(({ layer, head }) => `(${layer}, ${head})`).join(", ")}]`;
  }
  if (Array.isArray(value)) return `[${value.join(", ")}]`;
  if (typeof value === "object" && "word" in value) return text(value.word);
  return String(value);
}

/** JSON's escapes are valid in Python, except for surrogate pairs, which JSON leaves as they are. */
function text(value: string): string {
  return JSON.stringify(value.toWellFormed());
}
