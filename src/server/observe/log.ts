import { printable } from "./printable.ts";

/** The fields of a line beside time and event. */
export type Fields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes the lines of the log. */
export interface Log {
  /**
   * @param event What happened: `request`, `error`, `engine`, `server`.
   */
  write(event: string, fields: Fields): void;
}

/** How lines look. */
export type LogFormat = "json" | "text";

/** Makes a log of JSON or plain text lines. No field can end a line or control the terminal. */
export function makeLog(format: LogFormat, writeLine: (line: string) => void): Log {
  const line = format === "json" ? jsonLine : textLine;
  return { write: (event, fields) => writeLine(line(event, fields)) };
}

function jsonLine(event: string, fields: Fields): string {
  // Characters that JSON does not escape are escaped here: they only occur within strings, where escapes mean the same.
  return printable(JSON.stringify({ time: new Date().toISOString(), event, ...fields }));
}

function textLine(event: string, fields: Fields): string {
  const parts = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${shown(value!)}`);
  const time = new Date().toISOString().slice(11, 23);
  return printable([time, event, ...parts].join(" "));
}

function shown(value: string | number | boolean): string {
  if (typeof value === "string" && /[^\w./:+-]/.test(value)) return JSON.stringify(value);
  return String(value);
}
