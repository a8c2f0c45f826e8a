/** A line of JavaScript that fetches a table, with apache-arrow from npm. */
export function javascriptOf(url: string, hasToken = false): string {
  const headers = hasToken ? ', { headers: { authorization: "Bearer TOKEN" } }' : "";
  return `const table = await (await import("apache-arrow")).tableFromIPC(fetch(${
    JSON.stringify(url)
  }${headers}));`;
}
