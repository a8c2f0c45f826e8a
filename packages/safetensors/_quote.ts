// Copyright 2026 the Infoflow authors. MIT license.

const MAX_LENGTH = 64;

/** Quotes text out of a file for an error message; a hostile file must not make it endless. */
export function quote(text: string): string {
  return JSON.stringify(text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}...` : text);
}
