import { join } from "node:path";
import {
  type Downloaded,
  downloadModel,
  type DownloadOptions,
} from "../../src/checkpoints/hub/download.ts";
import { type Family, named } from "../../src/checkpoints/hub/family.ts";
import { VerifiedFiles } from "../../src/checkpoints/hub/verified.ts";
import { TINY } from "./fixtures.ts";
import { type Content, TestHub } from "./hub.ts";

/** The repository that most tests of the hub are about. */
export const REPOSITORY = "somebody/tiny-gpt2";

/** The files of the tiny model, as a repository has them: some of no use to us among them. */
export async function tinyFiles(): Promise<Record<string, Uint8Array<ArrayBuffer>>> {
  const text = new TextEncoder();
  return {
    ".gitattributes": text.encode("*.safetensors filter=lfs\n"),
    "README.md": text.encode("# A model\n"),
    "config.json": await Deno.readFile(join(TINY, "config.json")),
    "model.safetensors": await Deno.readFile(join(TINY, "model.safetensors")),
    "pytorch_model.bin": text.encode("not needed".repeat(20_000)),
  };
}

/** A hub and an empty cache. */
export interface HubBench {
  readonly hub: TestHub;
  readonly commit: string;
  readonly cache: string;
  /** A directory for what else a test needs. */
  readonly scratch: string;
  /** How long the downloads waited for the hub, in ms. */
  readonly waits: number[];
  readonly lines: string[];
  /** Downloads the model, or another one. */
  download(
    options?: Partial<DownloadOptions> & { token?: string; family?: Family; name?: string },
  ): Promise<Downloaded>;
}

/** Puts the tiny model on a hub for as long as `use` runs. */
export async function withHub(
  use: (bench: HubBench) => Promise<void>,
  files?: Record<string, Content>,
): Promise<void> {
  await using hub = new TestHub();
  const scratch = await Deno.makeTempDir({ prefix: "infoflow-hub-" });
  const cache = join(scratch, "hub");
  const waits: number[] = [];
  const lines: string[] = [];
  try {
    const commit = await hub.publish(REPOSITORY, files ?? await tinyFiles());
    await use({
      hub,
      commit,
      cache,
      scratch,
      waits,
      lines,
      download: ({ token, family, name = REPOSITORY, ...options } = {}) =>
        downloadModel({
          model: named(name, family),
          environment: { endpoint: hub.endpoint, cache, token, isOffline: false, timeout: 2000 },
          verified: new VerifiedFiles(join(scratch, "verified.json")),
          wait: (ms) => {
            waits.push(ms);
            return Promise.resolve();
          },
          say: (line) => lines.push(line),
          ...options,
        }),
    });
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}
