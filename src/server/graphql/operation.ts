import { type DocumentNode, getOperationAST } from "graphql";

/**
 * The operation of a query for metrics: its field, if it has one only, such as `infoFlow`. Names that a client makes up
 * are not used, so there are no more words than the schema has fields.
 *
 * @param document A valid one.
 */
export function operationOf(
  document: DocumentNode,
  operationName: string | null | undefined,
): string {
  const selections = getOperationAST(document, operationName)?.selectionSet.selections ?? [];
  const names = new Set<string>();
  for (const selection of selections) {
    if (selection.kind !== "Field") return "several";
    if (selection.name.value !== "__typename") names.add(selection.name.value);
  }
  if ([...names].some((name) => name.startsWith("__"))) return "introspection";
  return names.size === 1 ? [...names][0]! : names.size === 0 ? "typename" : "several";
}
