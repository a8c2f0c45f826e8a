import type { Context, Next } from "hono";
import { bodyLimit } from "hono/body-limit";
import { LONGEST_URL } from "../links/longest_url.ts";
import { InfoflowError } from "../../errors.ts";

/** The most bytes of a request's parts. */
export const SIZE_LIMITS = {
  body: 256 * 1024,
  /** A table of prompts. */
  batch: 8 * 2 ** 20,
  url: LONGEST_URL,
  /** All names and values together. */
  headers: 32 * 1024,
} as const;

/** Refuses a request whose URL or headers are too long, before they are parsed. */
export async function limitHead({ req: { raw } }: Context, next: Next): Promise<void> {
  // The URL as it was sent: percent-encoded, so a character is a byte.
  if (raw.url.length > SIZE_LIMITS.url) {
    throw tooLarge("URL_TOO_LONG", "URL", SIZE_LIMITS.url, "POST a GraphQL query instead");
  }
  let bytes = 0;
  for (const [name, value] of raw.headers) bytes += name.length + value.length;
  if (bytes > SIZE_LIMITS.headers) {
    throw tooLarge("HEADERS_TOO_LARGE", "headers", SIZE_LIMITS.headers, "send fewer");
  }
  await next();
}

const limitQuery = bodyLimit({
  maxSize: SIZE_LIMITS.body,
  onError: () => {
    throw bodyTooLarge(SIZE_LIMITS.body, "send a shorter query");
  },
});

/** Refuses a request whose body is too large, as soon as that is known; tables have a limit of their own. */
export async function limitBody(context: Context, next: Next): Promise<Response | void> {
  const { method, path } = context.req;
  if (method === "POST" && path.endsWith(".arrow")) return await next();
  return await limitQuery(context, next);
}

/** The error for a body that is too large. */
export function bodyTooLarge(limit: number, hint: string): InfoflowError {
  return tooLarge("BODY_TOO_LARGE", "body", limit, hint);
}

function tooLarge(
  code: "BODY_TOO_LARGE" | "URL_TOO_LONG" | "HEADERS_TOO_LARGE",
  part: string,
  limit: number,
  hint: string,
): InfoflowError {
  return new InfoflowError(
    code,
    `Cannot read the request as the limit of its ${part} is ${
      limit.toLocaleString("en")
    } bytes: ${hint}`,
    { limit },
  );
}
