/** A path that a proxy strips, such as `/user/ann/proxy/8000`. */
const PREFIX = /^(\/[\w.~%!$&'()*+,;=:@-]+)+$/;
const HOST = /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i;

/** How proxies call the path that they strip: jupyter-server-proxy all of these, others the first. */
const PREFIX_HEADERS = ["x-forwarded-prefix", "x-forwarded-context", "x-proxycontextpath"];

/**
 * Where links to this server begin, such as `http://127.0.0.1:8000`: as the client asked, as far as the proxies in front
 * say so. It stands in the answer to this request alone, so a client that makes the headers up fools only itself.
 */
export function linkOrigin({ url, headers }: Request): string {
  const { protocol, host } = new URL(url);
  const scheme = first(headers.get("x-forwarded-proto"));
  const named = first(headers.get("x-forwarded-host"));
  const prefix = PREFIX_HEADERS.map((name) => first(headers.get(name)).replace(/\/$/, ""))
    .find((path) => PREFIX.test(path)) ?? "";
  return `${/^https?$/.test(scheme) ? `${scheme}:` : protocol}//${
    HOST.test(named) ? named : host
  }${prefix}`;
}

/** The value of the proxy next to the client: each further proxy appends its own. */
function first(list: string | null): string {
  return list?.split(",")[0]?.trim() ?? "";
}
