import type { Context, Next } from "hono";

/** A page's policy, directive by directive. */
type Policy = Readonly<Record<string, string>>;

/** The policy of answers that are not pages: they load nothing and are in no frame. */
const DATA: Policy = { "default-src": "'none'", "frame-ancestors": "'none'" };

/** Pages load from here and talk to here; nothing is inline. */
const PAGE: Policy = {
  ...DATA,
  "script-src": "'self'",
  "style-src": "'self'",
  "img-src": "'self' data: blob:",
  "font-src": "'self' data:",
  "connect-src": "'self'",
  "worker-src": "'self' blob:",
  "manifest-src": "'self'",
  "form-action": "'self'",
  "base-uri": "'none'",
};

/** The headers of every answer. */
const ALWAYS: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer", // prompts stand in links
  "cross-origin-resource-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
};

const POLICY = "content-security-policy";

/**
 * The policy of a page of ours, whose scripts are files of ours. It may be shown in frames of our own origin, where
 * notebooks are that reach the server through their own.
 *
 * @param origins Other origins whose pages may show it in a frame.
 */
export function pagePolicy(origins: readonly string[]): string {
  return written({ ...PAGE, ...framedBy(origins) });
}

/** The policy of a page whose styles are inline, and whose scripts are too, known by their hashes (`sha256-…`). */
export function inlinePolicy(hashes: readonly string[], origins: readonly string[]): string {
  const scripts = hashes.map((hash) => `'${hash}'`).join(" ");
  return written({
    ...PAGE,
    ...framedBy(origins),
    "script-src": scripts,
    "style-src": "'self' 'unsafe-inline'",
  });
}

function framedBy(origins: readonly string[]): Policy {
  return { "frame-ancestors": ["'self'", ...origins].join(" ") };
}

/** Writes the security headers onto every answer; a page brings its own policy. */
export async function securityHeaders(context: Context, next: Next): Promise<void> {
  await next();
  const { headers } = context.res;
  for (const [name, value] of Object.entries(ALWAYS)) headers.set(name, value);
  if (headers.has(POLICY)) return; // it says who may frame the page
  headers.set(POLICY, written(DATA));
  headers.set("x-frame-options", "DENY");
}

function written(policy: Policy): string {
  return Object.entries(policy).map(([name, value]) => `${name} ${value}`).join("; ");
}
