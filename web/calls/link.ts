import { areChanges, areHeads, type Call, given, type Value } from "./call.ts";
import { encoded } from "./encoded.ts";

/** The link that answers with Arrow. It is relative to the page, so that it works under any path of a proxy. */
export function linkOf(call: Call): string {
  const pairs = given(call).map(([name, value]) => `${name}=${encoded(written(value))}`);
  const name = call.field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return `${name}.arrow?${pairs.join("&")}`;
}

function written(value: Value): string {
  if (typeof value === "string") return value.toWellFormed();
  if (areChanges(value)) return JSON.stringify(value);
  if (areHeads(value)) return value.map(({ layer, head }) => `${layer}.${head}`).join(",");
  if (typeof value === "object" && "word" in value) return value.word;
  return String(value);
}
