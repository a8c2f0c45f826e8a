import { bosOf, type PageState } from "../page_state.ts";
import { headsOff } from "./forecast.ts";

/** A line of Python that fetches a matrix: the number of rows is panels times positions. */
export function pythonLine(url: string): string {
  return "import numpy as np, pyarrow as pa, urllib.request; " +
    `flow = np.stack(pa.ipc.open_stream(urllib.request.urlopen(${JSON.stringify(url)}))` +
    `.read_all()["flow"].to_numpy())`;
}

/** A line of JavaScript that fetches a matrix, with apache-arrow from npm. */
export function javascriptLine(url: string): string {
  return `const table = await (await import("apache-arrow")).tableFromIPC(fetch(${
    JSON.stringify(url)
  }));`;
}

/** A link to GraphiQL with the question of a state filled in. */
export function graphiqlUrl(state: PageState): string {
  const prompt = JSON.stringify(state.prompt.toWellFormed());
  const { layer = 0, head = 0 } = state;
  const field = state.view === "heads"
    ? `attention(prompt: ${prompt}, layers: [${layer}], heads: [${head}], bos: ${bosOf(state)})`
    : `infoFlow(
    prompt: ${prompt}
    byLayer: ${state.layer !== undefined && state.view !== "whatif"}
    aggregation: ${state.aggregation}
    bos: ${bosOf(state)}${methodOf(state)}
  )`;
  const query = `query Matrix {
  ${field} {
    cacheHit
    tokens { index text }
    matrix { axes shape url }
  }
}
`;
  return `/graphql?query=${encodeURIComponent(query)}`;
}

function methodOf({ method, view, off }: PageState): string {
  const heads = headsOff(off).map(({ layer, head }) => `{layer: ${layer}, head: ${head}}`);
  return (method === "ATTENTION" ? "" : `\n    method: ${method}`) +
    (view === "whatif" && heads.length > 0 ? `\n    ablate: [${heads.join(", ")}]` : "");
}
