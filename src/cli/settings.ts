import { type Flag, parseFlags, UsageError, wholeNumber } from "./flags.ts";

/** The flags of `serve`. */
export const SERVE_FLAGS = {
  host: { type: "string", value: "HOST", help: "address to listen on, 127.0.0.1 by default" },
  port: { type: "string", value: "PORT", help: "port, 8000 by default; 0 takes a free one" },
  model: {
    type: "string",
    value: "NAME|DIR",
    help: "model to run, gpt2 if it is there and bundled otherwise",
  },
  "cache-mib": {
    type: "string",
    value: "N",
    help: "MiB of attention patterns to keep on the device, 1024 by default",
  },
  "public-url": {
    type: "string",
    value: "URL",
    help: "where links to this server begin, if behind a proxy",
  },
  tune: { type: "boolean", help: "choose the kernels for this adapter again" },
  help: { type: "boolean", help: "this text" },
} as const satisfies Record<string, Flag>;

/** How to serve. */
export interface ServeSettings {
  readonly host: string;
  readonly port: number;
  readonly model: string | undefined;
  readonly cacheBytes: number;
  readonly publicUrl: string | undefined;
  readonly tune: boolean;
  readonly help: boolean;
}

const MIB = 2 ** 20;

/**
 * Reads the settings of `serve` from its arguments and the environment.
 *
 * @throws {UsageError} If one is wrong.
 */
export function serveSettings(args: string[]): ServeSettings {
  const { values, positionals } = parseFlags(args, SERVE_FLAGS);
  if (positionals.length > 0) throw new UsageError(`serve takes flags only, not ${positionals[0]}`);
  const text = (name: keyof typeof SERVE_FLAGS): string | undefined =>
    values.get(name) as string | undefined;
  return {
    host: text("host") ?? "127.0.0.1",
    port: wholeNumber("port", text("port") ?? "8000", { least: 0, most: 65535 }),
    model: text("model"),
    cacheBytes: MIB *
      wholeNumber("cache-mib", text("cache-mib") ?? "1024", { least: 0, most: 2 ** 24 }),
    publicUrl: publicUrl(text("public-url")),
    tune: values.get("tune") === true,
    help: values.get("help") === true,
  };
}

function publicUrl(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (!url || !["http:", "https:"].includes(url.protocol)) {
    throw new UsageError(`--public-url must be an http or https URL: current value is ${text}`);
  }
  return url.href;
}
