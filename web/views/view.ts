import type { Exhibit } from "../exhibits/exhibit.ts";
import type { Heading, Known } from "../exhibits/known.ts";
import type { PageState } from "../page_state.ts";
import type { Question } from "../server/answers.ts";
import type { Tip } from "../widgets/tip.ts";

/** A state that is to be shown, and the ways to ask and to show. */
export interface Asked extends Known {
  /**
   * Asks the server, or the answers that are kept. A view asks for all that its picture needs before it awaits
   * anything: questions of older states that it has not asked again by then are cancelled.
   */
  ask<Answer>(question: Question<Answer>): Promise<Answer>;
  /** Announces a later question, so that it is not cancelled. */
  keep(question: Question<unknown>): void;
  /**
   * Shows what came: title, exports and drawing change together. Nothing happens where a newer state is asked for by
   * now.
   */
  present(exhibit: Exhibit, draw: () => void): void;
  /** Whether no newer state is asked for. */
  readonly isNewest: () => boolean;
}

/** The elements that a view puts into the page. */
export interface Slots {
  readonly stage: readonly HTMLElement[];
  readonly side: readonly HTMLElement[];
  /** Small pictures; without them that place is not there. */
  readonly strip?: readonly HTMLElement[];
}

/** A view: what it asks for, and how it draws that. */
export interface View {
  readonly slots: Slots;
  /** What its picture shows, and what it can't, in a sentence or two. */
  says(state: PageState): string;
  /** Asks for what the picture of a state needs, and presents it. */
  show(asked: Asked): Promise<void>;
  /** What is asked for once the picture is there, such as what comes next; if it fails, only it is missing. */
  afterwards?(asked: Asked): Promise<void>;
}

/** Dependencies of views. */
export interface Tools {
  /** Changes the state; by itself as a step in the browser’s history. */
  readonly change: (part: Partial<PageState>, step?: "push" | "replace") => void;
  /** Titles a preview, which is gone as soon as nothing is pointed at; without one, what is shown has its own again. */
  readonly preview: (heading?: Heading) => void;
  readonly tip: Tip;
  /** What is written there is read out. */
  readonly live: HTMLElement;
}
