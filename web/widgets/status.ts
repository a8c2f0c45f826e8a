import { count } from "../draw/format.ts";
import type { Failure } from "../server/failure.ts";

/** What the page may have to say in words. */
export type StatusKind =
  | "loading"
  | "note"
  | "empty"
  | "too-long"
  | "refused"
  | "overloaded"
  | "gone"
  | "broken";

/** Says something in the status line, or nothing. */
export function say(element: HTMLElement, kind?: StatusKind, message = ""): void {
  if (kind) element.dataset["kind"] = kind;
  else delete element.dataset["kind"];
  if (element.textContent !== message) element.textContent = message;
}

/** What a failure means for who sits before the page. */
export function explain(failure: Failure, secondsToRetry: number): string {
  const again = secondsToRetry <= 1 ? "in a moment" : `in ${secondsToRetry} seconds`;
  switch (failure.kind) {
    case "empty":
      return "Type a prompt, or pick one of the examples.";
    case "too-long": {
      const { tokens, limit } = failure;
      if (tokens === undefined || limit === undefined) {
        return "This prompt is too long for the server. Shorten it, and the picture follows.";
      }
      return `This prompt has ${count(tokens)} tokens, and the model takes ${
        count(limit)
      }, BOS among them. ` +
        `Shorten it by ${count(tokens - limit)}, and the picture follows.`;
    }
    case "overloaded":
      return `${failure.message}. The page asks again ${again}.`;
    case "gone":
      return `The server does not answer. Is it still running? The page asks again ${again}.`;
    case "broken":
    case "refused":
      return `${failure.message}.`;
  }
}
