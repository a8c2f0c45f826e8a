import type { MiddlewareHandler } from "hono";
import { InfoflowError } from "../../errors.ts";

/** The addresses, names and origins that are allowed. */
export interface Neighbours {
  /** The address that the server listens on. */
  readonly host: string;
  /** Further names of the server, as in the `Host` header, without the port. */
  readonly names: readonly string[];
  /** Other origins whose pages may ask and read, such as `https://notes.example`. */
  readonly origins: readonly string[];
}

/**
 * Refuses requests that a browser sends on behalf of another site's page.
 *
 * A `Host` that is not ours is DNS rebinding: a stranger's name that was made to point here. A `Sec-Fetch-Site` other
 * than `same-origin` and `none`, or where a browser sends none, an `Origin` or a `Referer` that is not ours, is a page
 * elsewhere that makes its reader's browser ask: an image, a form, a link to an Arrow matrix. Programs send none of the
 * three and are let through; so is a user who follows a link to one of our pages.
 *
 * @param isPage Whether a path answers GET with a page, which asks nothing of the device.
 */
export function refuseStrangers(
  { host, names, origins }: Neighbours,
  isPage: (request: Request) => boolean,
): MiddlewareHandler {
  const isOurHost = hostCheck(host, names);
  const destinations = origins.length > 0 ? ["document", "iframe"] : ["document"];
  return async ({ req: { raw: request } }, next) => {
    const { headers } = request;
    const url = new URL(request.url);
    const hostname = hostnameOf(headers.get("host")) ?? url.hostname;
    if (!isOurHost(hostname) || !isOurHost(url.hostname)) {
      throw new InfoflowError(
        "FORBIDDEN",
        `Cannot answer for the host ${shown(hostname)} as it is not a name of this server: ` +
          "its operator can allow it with --allow-host",
      );
    }
    const origin = headers.get("origin");
    if (origin !== null && origins.includes(origin)) return await next();
    if (
      isForeign(headers, origin, headers.get("host") ?? url.host) &&
      !isVisit(request, isPage, destinations)
    ) {
      throw new InfoflowError(
        "FORBIDDEN",
        "Cannot answer a request that another site's page makes: " +
          "the server's operator can allow its origin with --allow-origin",
      );
    }
    await next();
  };
}

/** A name can be made to point at any address; an address can't be made to point elsewhere. */
function hostCheck(host: string, names: readonly string[]): (hostname: string) => boolean {
  const ours = new Set([host, "localhost", "127.0.0.1", "::1", ...names].map(plain));
  const isAnyAddress = ["0.0.0.0", "::"].includes(plain(host));
  return (hostname) => {
    const asked = plain(hostname);
    return ours.has(asked) || isAnyAddress && isAddress(asked);
  };
}

/** An address or a name, lower case, without brackets and without the dot that a full name may end with. */
function plain(hostname: string): string {
  return hostname.toLowerCase().replace(/^\[(.*)\]$/, "$1").replace(/\.$/, "");
}

function isAddress(plain: string): boolean {
  return /^[\d.]+$/.test(plain) || plain.includes(":");
}

function hostnameOf(host: string | null): string | undefined {
  if (host === null) return undefined;
  return host.replace(/:\d*$/, "");
}

function isForeign(headers: Headers, origin: string | null, host: string): boolean {
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site !== "same-origin" && site !== "none";
  const from = origin ?? headers.get("referer");
  return from !== null && URL.parse(from)?.host !== host.toLowerCase();
}

/**
 * Whether a user followed a link to one of our pages, or a page elsewhere has it in a frame where some may: browsers
 * show it only in those that the page's policy names.
 */
function isVisit(
  request: Request,
  isPage: (request: Request) => boolean,
  destinations: readonly string[],
): boolean {
  return ["GET", "HEAD"].includes(request.method) &&
    request.headers.get("sec-fetch-mode") === "navigate" &&
    destinations.includes(request.headers.get("sec-fetch-dest") ?? "") && isPage(request);
}

function shown(hostname: string): string {
  return JSON.stringify(hostname.slice(0, 100));
}
