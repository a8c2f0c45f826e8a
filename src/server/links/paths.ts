/** Where the GraphQL endpoint is. */
export const GRAPHQL_PATH = "/graphql";

/** The last part of a field's links, such as `next-tokens` for `nextTokens`. */
export function kindOf(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Where a field's answers are as CSV, such as `/next-tokens.csv`. */
export function csvPathOf(field: string): string {
  return `/${kindOf(field)}.csv`;
}

/** Where the Arrow bytes of a field are, such as `/next-tokens.arrow`. */
export function pathOf(field: string): string {
  return `/${kindOf(field)}.arrow`;
}
