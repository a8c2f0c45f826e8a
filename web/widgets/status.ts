import { html } from "../draw/elements.ts";
import { count } from "../draw/format.ts";
import type { Failure } from "../server/failure.ts";

/** The kinds of messages that the page shows. */
export type StatusKind =
  | "loading"
  | "note"
  | "empty"
  | "too-long"
  | "refused"
  | "overloaded"
  | "timed-out"
  | "gone"
  | "broken";

/** What the user can do about it. */
export interface StatusAction {
  readonly name: string;
  readonly act: () => void;
}

/** The line that says what the page does or can't do, with buttons for what the user can do. */
export class Status {
  readonly #text: HTMLElement;
  readonly #actions: HTMLElement;

  constructor(text: HTMLElement, actions: HTMLElement) {
    this.#text = text;
    this.#actions = actions;
  }

  /** Says something, or nothing. */
  say(kind?: StatusKind, message = "", actions: readonly StatusAction[] = []): void {
    if (kind) this.#text.dataset["kind"] = kind;
    else delete this.#text.dataset["kind"];
    if (this.#text.textContent !== message) this.#text.textContent = message;
    this.#actions.replaceChildren(...actions.map(({ name, act }) => {
      const button = html("button", { type: "button" }, name);
      button.addEventListener("click", act);
      return button;
    }));
  }
}

/** A failure as the user sees it: the server's words, and what happens next. */
export function explain(failure: Failure, secondsToRetry: number | undefined): string {
  const again = secondsToRetry === undefined
    ? ""
    : secondsToRetry <= 1
    ? " The page asks again in a moment."
    : ` The page asks again in ${secondsToRetry} seconds.`;
  switch (failure.kind) {
    case "empty":
      return "Type a prompt, or pick one of the examples.";
    case "too-long": {
      const { tokens, limit } = failure;
      if (tokens === undefined || limit === undefined) return `${sentence(failure.message)}`;
      return `This prompt has ${count(tokens)} tokens, and the model takes ${
        count(limit)
      }, BOS among them. Shorten it by ${count(tokens - limit)}, and the picture follows.`;
    }
    case "timed-out":
      return again
        ? `${sentence(failure.message)}${again}`
        : `${sentence(failure.message)} Twice in a row: this takes longer than the server allows.`;
    case "overloaded":
      return `${sentence(failure.message)}${again}`;
    case "gone":
      return `The server does not answer. Is it still running?${again}`;
    case "broken":
    case "refused":
      return sentence(failure.message);
  }
}

function sentence(message: string): string {
  return /[.!?]$/.test(message) ? message : `${message}.`;
}
