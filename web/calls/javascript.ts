/** A line of JavaScript that fetches a table, with apache-arrow from npm. */
export function javascriptOf(url: string): string {
  return `const table = await (await import("apache-arrow")).tableFromIPC(fetch(${
    JSON.stringify(url)
  }));`;
}
