import { bosOf, type PageState } from "../page_state.ts";
import { headsOff } from "./forecast.ts";
import { routesOf } from "./questions.ts";

/** A line of Python that fetches a matrix, a row for each panel and target; or the edges of routes as a table. */
export function pythonLine(url: string): string {
  const table = `pa.ipc.open_stream(urllib.request.urlopen(${JSON.stringify(url)})).read_all()`;
  return url.includes("/routes.arrow?")
    ? `import pyarrow as pa, urllib.request; edges = ${table}`
    : `import numpy as np, pyarrow as pa, urllib.request; flow = np.stack(${table}["flow"].to_numpy())`;
}

/** A line of JavaScript that fetches a matrix, with apache-arrow from npm. */
export function javascriptLine(url: string): string {
  return `const table = await (await import("apache-arrow")).tableFromIPC(fetch(${
    JSON.stringify(url)
  }));`;
}

/** A link to GraphiQL with the question of a state filled in. */
export function graphiqlUrl(state: PageState): string {
  return `/graphql?query=${encodeURIComponent(queryOf(state))}`;
}

function queryOf(state: PageState): string {
  const model = state.model === undefined ? "" : `, model: ${JSON.stringify(state.model)}`;
  const prompt = JSON.stringify(state.prompt.toWellFormed()) + model;
  const { layer = 0, head = 0 } = state;
  if (state.view === "routes") {
    const { target, threshold } = routesOf(state);
    const to = target === undefined ? "" : `, target: ${target}`;
    return `query Routes {
  routes(prompt: ${prompt}${to}, threshold: ${threshold}) {
    target
    edges { layer kind head source target weight }
  }
}
`;
  }
  const field = state.view === "heads"
    ? `attention(prompt: ${prompt}, layers: [${layer}], heads: [${head}], bos: ${bosOf(state)})`
    : `infoFlow(
    prompt: ${prompt}
    byLayer: ${state.layer !== undefined && state.view !== "whatif"}
    aggregation: ${state.aggregation}
    bos: ${bosOf(state)}${methodOf(state)}
  )`;
  return `query Matrix {
  ${field} {
    cacheHit
    tokens { index text }
    matrix { axes shape url }
  }
}
`;
}

function methodOf({ method, view, off }: PageState): string {
  const heads = headsOff(off).map(({ layer, head }) => `{layer: ${layer}, head: ${head}}`);
  return (method === "ATTENTION" ? "" : `\n    method: ${method}`) +
    (view === "whatif" && heads.length > 0 ? `\n    ablate: [${heads.join(", ")}]` : "");
}
