/**
 * Makes the corrupted prompt, if the user gives none: of two names the one that comes twice is put in the place of the
 * other at its last occurrence, as in the prompts of Wang et al. 2022. Where there are no such names, it is the prompt.
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
