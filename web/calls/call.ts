/** A head of a layer. */
export interface Head {
  readonly layer: number;
  readonly head: number;
}

/** A word of the API's that is no text, such as ALTI. */
export interface Word {
  readonly word: string;
}

/** A change to a run: values of another prompt put in their places. */
export interface Patch {
  readonly site: string;
  readonly layer: number;
  readonly heads?: readonly number[];
  readonly positions?: readonly number[];
  readonly action: "REPLACE";
  readonly from: string;
}

/** A change to a run: a feature's activation multiplied. */
export interface Scaling {
  readonly site: string;
  readonly layer: number;
  readonly action: "SCALE";
  readonly factor: number;
  readonly feature: { readonly sae: string; readonly index: number };
}

/** The value of an argument of the API. */
export type Value =
  | string
  | number
  | boolean
  | Word
  | readonly number[]
  | readonly Head[]
  | readonly Patch[]
  | readonly Scaling[];

/** One question to the API. Links, GraphQL and Python ask the same with it. */
export interface Call {
  /** The field of GraphQL; the link has the same name with hyphens. */
  readonly field: string;
  /** Its arguments, as GraphQL names them. What is undefined is left out: the API's default holds. */
  readonly args: Readonly<Record<string, Value | undefined>>;
  /** The selection of the answer in GraphQL, such as `matrix { shape }`. */
  readonly selects: string;
}

/** A word of the API, unless it is the default there. */
export function wordUnless(word: string, initial: string): Word | undefined {
  return word === initial ? undefined : { word };
}

/** The arguments that are given. */
export function given({ args }: Call): [name: string, value: Value][] {
  return Object.entries(args).filter((pair): pair is [string, Value] => pair[1] !== undefined);
}

/** Whether a value is a list of heads. */
export function areHeads(value: Value): value is readonly Head[] {
  return Array.isArray(value) && typeof value[0] === "object" && "head" in value[0];
}

/** Whether a value is a list of changes. */
export function areChanges(value: Value): value is readonly Patch[] | readonly Scaling[] {
  return Array.isArray(value) && typeof value[0] === "object" && "site" in value[0];
}
