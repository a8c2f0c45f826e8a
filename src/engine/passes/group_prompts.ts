/**
 * Prompts in their order, in groups that have one pass each.
 *
 * @param most The most tokens of a group, unless one prompt has more; and the most prompts.
 */
export function groupPrompts(
  prompts: readonly (readonly number[])[],
  most: { readonly tokens: number; readonly prompts?: number },
): (readonly number[])[][] {
  const groups: (readonly number[])[][] = [];
  let tokens = Infinity;
  for (const ids of prompts) {
    if (tokens + ids.length > most.tokens || groups.at(-1)?.length === most.prompts) {
      groups.push([]);
      tokens = 0;
    }
    groups.at(-1)!.push(ids);
    tokens += ids.length;
  }
  return groups;
}
