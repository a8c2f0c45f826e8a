import { html } from "hono/html";
import { STATISTICS } from "../../requests/head_statistics/statistics.ts";
import { exampleList } from "./example_list.ts";
import { type CorpusView, type Html, shown } from "./corpus_view.ts";
import type { FinishedRun } from "./finished_run.ts";
import { headTable } from "./head_table.ts";
import { profile } from "./profile.ts";

/** The page of a finished run, without a script. */
export function corpusPage(run: FinishedRun, view: CorpusView): Html {
  const { statistic, head } = view;
  const name = `Head ${head.layer}.${head.head}`;
  return html`
    <!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>${name} · ${said(statistic)} · Infoflow</title>
        <link rel="icon" href="favicon.svg" type="image/svg+xml">
        <link rel="stylesheet" href="page.css">
        <link rel="stylesheet" href="corpus.css">
      </head>
      <body class="corpus">
        <header class="masthead">
          <h1><img src="favicon.svg" alt="" width="26" height="26">Infoflow</h1>
          <p class="tagline">What every head does over a corpus</p>
          <nav aria-label="Elsewhere"><a href="./">One prompt</a></nav>
        </header>
        <main>
          <p>${run.model}, ${count(run.rows)} prompts, ${count(run.targets)} targets</p>
          <form action="corpus">
            <label for="statistic">Statistic</label>
            <select name="statistic" id="statistic">${Object.entries(STATISTICS).map((
              [value, text],
            ) =>
              html`<option value="${value}" ${
                value === statistic ? "selected" : ""
              }>${text}</option>`
            )}</select>
            <input type="hidden" name="head" value="${head.layer}.${head.head}">
            <button>Show</button>
          </form>
          <section aria-labelledby="grid">
    <h2 id="grid">${said(statistic)}</h2>
    ${headTable(run, view)}
          </section>
          <section aria-labelledby="head">
    <h2 id="head">${name}</h2>
    <dl>${Object.entries(STATISTICS).filter(([key]) => !key.endsWith("variance")).map((
      [key, text],
    ) =>
      html`
        <div>
          <dt>${text}</dt>
          <dd>${shown(head.values[key] ?? null)}</dd>
        </div>
      `
    )}</dl>
    <h3>By distance from target to source</h3>
    ${profile(head)}
    <h3>Where it takes most, BOS aside: one example a prompt</h3>
    ${exampleList(head)}
          </section>
        </main>
      </body>
    </html>
  `;
}

function said(statistic: string): string {
  return STATISTICS[statistic]!;
}

function count(number: number): string {
  return number.toLocaleString("en");
}
