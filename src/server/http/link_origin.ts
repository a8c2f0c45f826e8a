/** A path that a proxy strips, such as `/user/ann/proxy/8000`. */
const PREFIX = /^(\/[\w.~%!$&'()*+,;=:@-]+)+$/;
const HOST = /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i;

/** The headers with the path that a proxy strips: jupyter-server-proxy sends all of these, others the first. */
const PREFIX_HEADERS = ["x-forwarded-prefix", "x-forwarded-context", "x-proxycontextpath"];

/**
 * Where links to this server begin, such as `http://127.0.0.1:8000`, by the headers of the request and of proxies. Only
 * this request's answer has it, so a client that forges the headers misleads only itself.
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
