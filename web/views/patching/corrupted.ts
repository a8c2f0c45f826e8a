/**
 * Makes the corrupted prompt, if the user gives none. If one of two names comes twice, its last occurrence is replaced by
 * the other name, as in the prompts of Wang et al. 2022. Without such names, it is the prompt itself.
 */
export function corruptedOf(prompt: string): string {
  const names = [...prompt.matchAll(/\b\p{Lu}\p{Ll}+\b/gu)].map(({ 0: name, index }) => ({
    name,
    index,
  }));
  const last = names.findLast(({ name, index }) =>
    names.some((it) => it.name === name && it.index < index)
  );
  const other = names.find(({ name }) => name !== last?.name);
  if (!last || !other) return prompt;
  return prompt.slice(0, last.index) + other.name + prompt.slice(last.index + last.name.length);
}
