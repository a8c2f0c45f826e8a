import type { Answer } from "../answers/answer.ts";
import type { ArrowForm } from "../arrow/form.ts";
import { writeLink } from "./write_link.ts";

/** The link to the Arrow bytes of an answer. */
export function linkOf(
  { field, linkArguments, reading: { source, model } }: Answer,
  origin: string,
  form?: ArrowForm,
): string {
  const name = model.isFurther ? model.name : undefined;
  return writeLink(origin, field, { ...source, model: name, ...linkArguments }, form);
}
