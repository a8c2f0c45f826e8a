/** The page as it is, as a file that needs no server: it contains its colours, and shows the number under the pointer. */
export function standAlone(): Blob {
  const main = document.getElementById("main")!.cloneNode(true) as HTMLElement;
  for (const control of main.querySelectorAll("button, .take-away, .pickers, .turn, .try")) {
    control.remove();
  }
  // What is folded and was never opened has nothing in it.
  for (const fold of main.querySelectorAll("details")) {
    if (fold.childElementCount < 2) fold.remove();
    else fold.open = true;
  }
  for (const link of main.querySelectorAll("a")) link.href = new URL(link.href).href;
  const styles = [...document.styleSheets].flatMap(({ cssRules }) =>
    [...cssRules].map(({ cssText }) => cssText)
  );
  const scheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  return new Blob([
    `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(document.title)}</title>
<style>
${styles.join("\n").replaceAll("</", "<\\/")}
:root { color-scheme: ${scheme} }
.tip { position: fixed }
</style>
<body class="dashboards">
${main.outerHTML}
<p><a href="${escaped(location.href)}">The page with this picture</a></p>
<div class="tip" id="tip" hidden></div>
<script>(${sayWhatIsPointedAt})()</script>
`,
  ], { type: "text/html;charset=utf-8" });
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}

/** Runs in the file, where nothing of this module is. */
function sayWhatIsPointedAt(): void {
  const tip = document.getElementById("tip")!;
  const say = ({ target }: Event): void => {
    const said = target instanceof Element ? target.closest("[data-says]") : null;
    tip.hidden = said === null;
    if (!said) return;
    tip.textContent = said.getAttribute("data-says");
    const { left, bottom } = said.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(left, innerWidth - tip.offsetWidth - 4))}px`;
    tip.style.top = `${bottom + 4}px`;
  };
  document.addEventListener("pointerover", say);
  document.addEventListener("focusin", say);
  document.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const token = event.target instanceof Element ? event.target.closest(".token") : null;
    if (step === undefined || !token) return;
    const all = [...token.parentElement!.querySelectorAll<HTMLElement>(".token")];
    all[all.indexOf(token as HTMLElement) + step]?.focus();
    event.preventDefault();
  });
}
