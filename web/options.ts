/** An option that is chosen from a list. */
export interface Option {
  /** The part of the state that it sets. */
  readonly name: string;
  readonly label: string;
  /** A description, in a sentence. */
  readonly help: string;
  /** A link to a full explanation. */
  readonly paper?: { readonly name: string; readonly url: string };
  /** The values and their labels; the first is the default. */
  readonly choices: readonly (readonly [value: string, name: string])[];
}
