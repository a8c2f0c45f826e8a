/** An option that is chosen from a list. */
export interface Option {
  /** The part of the state that it sets. */
  readonly name: string;
  readonly label: string;
  /** What it is, in a sentence. */
  readonly help: string;
  /** Where that is explained at length. */
  readonly paper?: { readonly name: string; readonly url: string };
  /** The values and their labels; the first is the default. */
  readonly choices: readonly (readonly [value: string, name: string])[];
}
