import { join } from "node:path";

/** Where the hub and its cache are, as the environment says. */
export interface HubEnvironment {
  /** Such as `https://huggingface.co`, with no slash at its end. */
  readonly endpoint: string;
  /** The directory of `models--OWNER--NAME`. */
  readonly cache: string;
  /** Sent to the endpoint, and to nobody else. */
  readonly token: string | undefined;
  /** Nothing is to be asked of the hub. */
  readonly isOffline: boolean;
  /** How long to wait for the next byte, in ms. */
  readonly timeout: number;
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
] as const;

/** The value of a variable, undefined where it is not set. */
export type Variables = (name: typeof HUB_VARIABLES[number]) => string | undefined;

const TRUE = ["1", "ON", "YES", "TRUE"];

/**
 * Reads the environment as Python's huggingface_hub does. A variable that is set to nothing counts as not set.
 *
 * @param get The environment.
 * @throws {Error} If a path in it can't be told, or the token's file can't be read.
 */
export async function readHubEnvironment(
  get: Variables = (name) => Deno.env.get(name),
): Promise<HubEnvironment> {
  const value = (name: typeof HUB_VARIABLES[number]): string | undefined => get(name) || undefined;
  const path = (name: typeof HUB_VARIABLES[number]): string | undefined => {
    const text = value(name);
    return text && expand(text, { name, home: value("HOME") });
  };
  const caches = path("XDG_CACHE_HOME") ?? expand("~/.cache", { name: "~", home: value("HOME") });
  const hfHome = path("HF_HOME") ?? join(caches, "huggingface");
  const isTrue = (text: string | undefined): boolean => TRUE.includes(text?.toUpperCase() ?? "");
  const seconds = Number(value("HF_HUB_DOWNLOAD_TIMEOUT") ?? 10);
  return {
    endpoint: (value("HF_ENDPOINT") ?? "https://huggingface.co").replace(/\/+$/, ""),
    cache: path("HF_HUB_CACHE") ?? path("HUGGINGFACE_HUB_CACHE") ?? join(hfHome, "hub"),
    token: isTrue(value("HF_HUB_DISABLE_IMPLICIT_TOKEN"))
      ? undefined
      : clean(value("HF_TOKEN") ?? value("HUGGING_FACE_HUB_TOKEN")) ??
        clean(await readIfThere(path("HF_TOKEN_PATH") ?? join(hfHome, "token"))),
    isOffline: isTrue(value("HF_HUB_OFFLINE") ?? value("TRANSFORMERS_OFFLINE")),
    timeout: 1000 * (seconds > 0 ? seconds : 10),
  };
}

/** Puts the home directory in for `~`; shells have done so already, files of settings have not. */
function expand(path: string, { name, home }: { name: string; home: string | undefined }): string {
  const whole = path.replace(/^~(?=\/|$)|\$HOME\b|\$\{HOME\}/g, () => {
    if (home) return home;
    throw new Error(`Cannot tell where the hub's cache is as HOME is not set: set HF_HOME`);
  });
  if (!whole.includes("$")) return whole;
  throw new Error(
    `Cannot read ${name} as it must hold no variable but $HOME: current value is ${path}`,
  );
}

function clean(token: string | undefined): string | undefined {
  return token?.replaceAll(/[\r\n]/g, "").trim() || undefined;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
}
