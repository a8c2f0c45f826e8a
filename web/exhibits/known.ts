import type { Theme } from "../draw/theme.ts";
import type { BosPolicy } from "../../src/requests/flow_options.ts";
import type { PageState } from "../page_state.ts";
import type { Reading, TokenSpan } from "../server/reading.ts";

/** A state that this server can answer, and what is known of it before a view asks for anything. */
export interface Known {
  readonly state: PageState;
  /** Whether BOS is left out, kept, or not read. */
  readonly bos: BosPolicy;
  readonly reading: Reading;
  /** The tokens of the axes: without BOS where it is dropped. */
  readonly spans: readonly TokenSpan[];
  readonly theme: Theme;
}

/** What is shown large, in a word and a note. */
export interface Heading {
  readonly name: string;
  readonly note: string;
}
