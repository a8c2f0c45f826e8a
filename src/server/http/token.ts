import { createHash, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import { InfoflowError } from "../../errors.ts";
import { Guesses } from "./guesses.ts";

/**
 * Asks for the token on all paths but `open` ones: as `Authorization: Bearer TOKEN`, or, since browsers and many readers
 * of links know only that, as the password of Basic authentication with any user name. Wrong ones are told slowly.
 */
export function requireToken(token: string, open: readonly string[]): MiddlewareHandler {
  const expected = digest(token);
  const guesses = new Guesses();
  return async ({ req }, next) => {
    const guess = given(req.header("authorization"));
    if (!open.includes(req.path) && !isIt(guess, expected)) {
      if (guess !== undefined) await guesses.turn();
      throw new InfoflowError(
        "UNAUTHORIZED",
        "Cannot answer without the token: send it as `Authorization: Bearer TOKEN`, " +
          "or as the password, with any user name",
      );
    }
    await next();
  };
}

/** Digests have equal length and reveal nothing of the token, so comparing them takes constant time. */
function isIt(token: string | undefined, expected: Uint8Array): boolean {
  return timingSafeEqual(digest(token ?? ""), expected) && token !== undefined;
}

function digest(token: string): Uint8Array {
  return createHash("sha256").update(token).digest();
}

function given(authorization: string | undefined): string | undefined {
  const [, scheme = "", value = ""] = authorization?.match(/^(\S+) +(\S+)$/) ?? [];
  if (scheme.toLowerCase() === "bearer") return value;
  if (scheme.toLowerCase() !== "basic") return undefined;
  try {
    const text = new TextDecoder().decode(Uint8Array.fromBase64(value));
    return text.slice(text.indexOf(":") + 1);
  } catch {
    return undefined;
  }
}
