import { join } from "node:path";
import { readIfThere } from "../../files.ts";

/** Where the hub and its cache are, as the environment says. */
export interface HubEnvironment {
  /** Such as `https://huggingface.co`, with no slash at its end. */
  readonly endpoint: string;
  /** The directory of `models--OWNER--NAME`. */
  readonly cache: string;
  /** Sent to the endpoint, and to no other host. */
  readonly token: string | undefined;
  /** Nothing is to be asked of the hub. */
  readonly isOffline: boolean;
  /** How long to wait for the next byte, in ms. */
  readonly timeout: number;
  /** PEM files of certificates that are trusted beside those that Deno trusts. */
  readonly certificates?: readonly string[];
}

/** The variables that {@linkcode readHubEnvironment} reads, by the permission of which it needs them. */
export const HUB_VARIABLES = [
  "HOME",
  "XDG_CACHE_HOME",
  "HF_HOME",
  "HF_HUB_CACHE",
  "HUGGINGFACE_HUB_CACHE",
  "HF_ENDPOINT",
  "HF_TOKEN",
  "HUGGING_FACE_HUB_TOKEN",
  "HF_TOKEN_PATH",
  "HF_HUB_DISABLE_IMPLICIT_TOKEN",
  "HF_HUB_OFFLINE",
  "TRANSFORMERS_OFFLINE",
  "HF_HUB_DOWNLOAD_TIMEOUT",
  "SSL_CERT_FILE",
  "REQUESTS_CA_BUNDLE",
] as const;

/** The value of a variable, undefined where it is not set. */
export type Variables = (name: typeof HUB_VARIABLES[number]) => string | undefined;

const TRUE = ["1", "ON", "YES", "TRUE"];

/**
 * Where Python's huggingface_hub keeps what it downloads, and we too. A variable that is set to nothing counts as not
 * set.
 *
 * @throws {Error} If it can't be told.
 */
export function hubCache(get: Variables = fromEnvironment): string {
  return pathOf("HF_HUB_CACHE", get) ?? pathOf("HUGGINGFACE_HUB_CACHE", get) ??
    join(hubHome(get), "hub");
}

/**
 * Reads the environment as Python's huggingface_hub does.
 *
 * @throws {Error} If a path in it can't be told, or the token's file can't be read.
 */
export async function readHubEnvironment(
  get: Variables = fromEnvironment,
): Promise<HubEnvironment> {
  const isTrue = (text: string | undefined): boolean => TRUE.includes(text?.toUpperCase() ?? "");
  const tokenFile = pathOf("HF_TOKEN_PATH", get) ?? join(hubHome(get), "token");
  const seconds = Number(get("HF_HUB_DOWNLOAD_TIMEOUT") || 10);
  return {
    endpoint: (get("HF_ENDPOINT") || "https://huggingface.co").replace(/\/+$/, ""),
    cache: hubCache(get),
    token: isTrue(get("HF_HUB_DISABLE_IMPLICIT_TOKEN"))
      ? undefined
      : clean(get("HF_TOKEN") || get("HUGGING_FACE_HUB_TOKEN")) ??
        clean(await readIfThere(tokenFile)),
    isOffline: isTrue(get("HF_HUB_OFFLINE") || get("TRANSFORMERS_OFFLINE")),
    timeout: 1000 * (seconds > 0 ? seconds : 10),
    certificates: await certificatesOf(get),
  };
}

/** Those that programs in Python and OpenSSL are told of; Deno itself reads DENO_CERT. */
async function certificatesOf(get: Variables): Promise<string[]> {
  const names = ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"] as const;
  const paths = new Map(names.map((name) => [pathOf(name, get), name]));
  const certificates: string[] = [];
  for (const [path, name] of paths) {
    if (path === undefined) continue;
    const text = await readIfThere(path).catch(() => undefined); // a directory, for example
    if (text === undefined) {
      throw new Error(`Cannot read ${name} as it must name a file: current value is ${path}`);
    }
    certificates.push(text);
  }
  return certificates;
}

function fromEnvironment(name: string): string | undefined {
  return Deno.env.get(name);
}

function hubHome(get: Variables): string {
  const caches = (): string =>
    pathOf("XDG_CACHE_HOME", get) ?? expand("~/.cache", { name: "HOME", home: get("HOME") });
  return pathOf("HF_HOME", get) ?? join(caches(), "huggingface");
}

function pathOf(name: typeof HUB_VARIABLES[number], get: Variables): string | undefined {
  const text = get(name) || undefined;
  return text && expand(text, { name, home: get("HOME") || undefined });
}

/** Puts the home directory in for `~`; shells have done so already, files of settings have not. */
function expand(path: string, { name, home }: { name: string; home: string | undefined }): string {
  const whole = path.replace(/^~(?=\/|$)|\$HOME\b|\$\{HOME\}/g, () => {
    if (home) return home;
    throw new Error(`Cannot find the hub's cache as HOME is not set: set HF_HOME`);
  });
  if (!whole.includes("$")) return whole;
  throw new Error(
    `Cannot read ${name} as it must hold no variable but $HOME: current value is ${path}`,
  );
}

function clean(token: string | undefined): string | undefined {
  return token?.replaceAll(/[\r\n]/g, "").trim() || undefined;
}
