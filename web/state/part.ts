/** A part of the page's state: its value where a link does not set it, and how a link's text is read. */
export interface Part<Value> {
  readonly initial: Value;
  /** Nothing for a text that is none of its values. */
  readonly read: (text: string) => Value | undefined;
}

/** One of some words, the first of them at first. */
export function oneOf<const Words extends readonly string[]>(
  words: Words,
  initial: Words[number] = words[0]!,
): Part<Words[number]> {
  return { initial, read: (text) => words.includes(text) ? text : undefined };
}

/** A position, a layer or a head; none at first. */
export const index: Part<number | undefined> = {
  initial: undefined,
  read: (text) => /^\d{1,6}$/.test(text) ? Number(text) : undefined,
};

/** Any text. */
export function text(initial: string): Part<string> {
  return { initial, read: (text) => text };
}

/** A name; none at first. */
export const name: Part<string | undefined> = {
  initial: undefined,
  read: (text) => text || undefined,
};

/** A text of a form, such as a list of heads; empty at first. */
export function like(form: RegExp): Part<string> {
  return { initial: "", read: (text) => form.test(text) ? text : undefined };
}

/** Heads as links write them, such as `0.3,2.11`. */
export const headList: Part<string> = like(/^(\d{1,4}\.\d{1,4}(,(?!$)|$))*$/);
