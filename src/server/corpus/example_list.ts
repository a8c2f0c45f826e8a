import { html } from "hono/html";
import type { Html } from "./corpus_view.ts";
import type { RunExample, RunHead } from "./finished_run.ts";

/** Tokens that are shown before and after a long example's own. */
const AROUND = 40;

/** A head's best examples as text: the target and the source are marked. */
export function exampleList({ layer, head, examples }: RunHead): Html {
  if (examples.length === 0) return html`<p>There is none.</p>`;
  return html`<ol class="head-examples">${
    examples.map((example) =>
      html`
        <li>
          <p>${tokensOf(example)}</p>
          <p class="of">${example.weight.toFixed(3)} · row ${example.prompt}${example.text === null
            ? ""
            : html`
              · <a href="${linkOf(example, { layer, head })}">open this head</a>, <a
                href="${linkOf(example, {})}">its flow</a>
            `}</p>
        </li>
      `
    )
  }</ol>`;
}

/** The page with the example's prompt, its head and its target chosen. */
function linkOf(
  { text, target }: RunExample,
  { layer, head }: { readonly layer?: number; readonly head?: number },
): string {
  const isHead = layer !== undefined;
  // Heads show BOS at 0, flows leave it out.
  const state = {
    prompt: text!,
    view: isHead ? "heads" : "flow",
    ...isHead && { layer, head },
    token: isHead ? target : target - 1,
  };
  const parts = Object.entries(state).map(([key, it]) =>
    `${key}=${encodeURIComponent(String(it))}`
  );
  return `./#${parts.join("&")}`;
}

function tokensOf({ tokens, target, source }: RunExample): Html {
  const [first, end] = [Math.max(1, source - AROUND), Math.min(tokens.length, target + AROUND + 1)];
  const shown = tokens.slice(first, end).map((text, at) => {
    const position = first + at;
    if (position === target && position === source) {
      return html`<mark class="target source">${text}</mark>`;
    }
    if (position === target) return html`<mark class="target">${text}</mark>`;
    return position === source ? html`<mark class="source">${text}</mark>` : text;
  });
  return html`${first > 1 ? "… " : ""}${shown}${end < tokens.length ? " …" : ""}`;
}
