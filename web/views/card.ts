import type { Part } from "../state/part.ts";
import type { Option } from "../options.ts";

/**
 * What is known of a view before anything is drawn. It names no type of the whole state, which is made of the cards'
 * own parts.
 */
export interface ViewCard {
  /** The text of its tab. */
  readonly tab: string;
  /** A large picture with small ones beside it, or a grid of small ones with a large one beside it. */
  readonly layout: "large" | "grid";
  /** Whether BOS is left out, kept, or not read, by default. */
  readonly bos: "DROP" | "KEEP";
  /** What its colours show by default: shares, or multiples of an even share. */
  readonly unit: "share" | "even";
  /** The options that it offers. */
  readonly options: readonly Option[];
  /** Its own parts of the link; their names are no other view's. */
  readonly state: Readonly<Record<string, Part<unknown>>>;
}
