import assert from "node:assert/strict";
import { join } from "node:path";
import { downloadSae } from "../../src/checkpoints/hub/download_sae.ts";
import { ensureSaeIntact, locateSae } from "../../src/checkpoints/hub/locate_sae.ts";
import { namedSae } from "../../src/checkpoints/hub/named_sae.ts";
import { VerifiedFiles } from "../../src/checkpoints/hub/verified.ts";
import { openSae } from "../../src/checkpoints/sae/open_sae.ts";
import { FIXTURES } from "../support/fixtures.ts";
import { type Content, TestHub } from "../support/hub.ts";

const JB = "gpt2-small-res-jb/blocks.8.hook_resid_pre";
const REPOSITORY = "jbloom/GPT2-Small-SAEs-Reformatted";

interface Bench {
  readonly hub: TestHub;
  readonly cache: string;
  download(name: string): ReturnType<typeof downloadSae>;
}

/** A file of a reference autoencoder. */
function file(name: string, of = "res-standard"): Promise<Uint8Array<ArrayBuffer>> {
  return Deno.readFile(new URL(`sae/${of}/${name}`, FIXTURES));
}

/** A hub with files, and an empty cache, for as long as `use` runs. */
async function withHub(
  files: Readonly<Record<string, Content>>,
  use: (bench: Bench) => Promise<void>,
): Promise<void> {
  await using hub = new TestHub();
  const scratch = await Deno.makeTempDir({ prefix: "infoflow-sae-" });
  const cache = join(scratch, "hub");
  try {
    await hub.publish(REPOSITORY, files);
    await use({
      hub,
      cache,
      download: (name) =>
        downloadSae({
          sae: namedSae(name),
          environment: {
            endpoint: hub.endpoint,
            cache,
            token: undefined,
            isOffline: false,
            timeout: 10_000,
          },
          verified: new VerifiedFiles(join(scratch, "verified.json")),
          wait: () => Promise.resolve(),
        }),
    });
  } finally {
    await Deno.remove(scratch, { recursive: true });
  }
}

const FILES = {
  "blocks.8.hook_resid_pre/cfg.json": await file("cfg.old.json"),
  "blocks.8.hook_resid_pre/sae_weights.safetensors": await file("sae_weights.old.safetensors"),
  "blocks.8.hook_resid_pre/sparsity.safetensors": await file("T14.safetensors"),
  "README.md": new TextEncoder().encode("# Autoencoders\n"),
};

Deno.test("an autoencoder of a release is downloaded by name, and found again with what the release knows", () =>
  withHub(FILES, async ({ hub, cache, download }) => {
    await download(JB);
    const paths = hub.seen.map(({ path }) => path.replace(/[0-9a-f]{40}/, "COMMIT"));
    assert(!paths.some((path) => path.includes("sparsity")), "only what is needed");
    const found = await locateSae(JB, cache);
    assert.equal(found.name, JB);
    await using sae = await openSae(found.directory, found.overrides);
    assert.equal(sae.config.conversion.isCentred, true, "its cfg.json does not say so");
    assert.equal(sae.config.report.l0, 60);
    await ensureSaeIntact(found, new VerifiedFiles(undefined));
    const same = await locateSae(`${REPOSITORY}:blocks.8.hook_resid_pre`, cache);
    assert.equal(same.directory, found.directory);
  }));

Deno.test("a file that was changed since is noticed", () =>
  withHub(FILES, async ({ cache, download }) => {
    const { directory } = await download(JB);
    const path = await Deno.realPath(join(directory, "sae_weights.safetensors"));
    const bytes = await Deno.readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await Deno.writeFile(path, bytes);
    const found = await locateSae(JB, cache);
    await assert.rejects(
      ensureSaeIntact(found, new VerifiedFiles(undefined)),
      /sae_weights.safetensors is not what its hash says: fetch it again with `.\/run sae/,
    );
  }));

Deno.test("a cut download goes on", () =>
  withHub(FILES, async ({ hub, download }) => {
    let isCut = false;
    hub.faults = [async ({ path }, normal) => {
      if (isCut || !path.endsWith("sae_weights.safetensors")) return undefined!;
      isCut = true;
      const response = await normal();
      const body = (await response.bytes()).slice(0, 1000);
      return new Response(body, { status: response.status, headers: response.headers });
    }];
    const { directory } = await download(JB);
    await using sae = await openSae(directory);
    assert.equal(sae.config.features, 128);
  }));

Deno.test("an autoencoder that doesn't exist is an error that lists the nearest names", () =>
  withHub(FILES, async ({ cache, download }) => {
    await assert.rejects(
      download("gpt2-small-res-jb/blocks.7.hook_resid_pre"),
      /has no blocks.7.hook_resid_pre\/cfg.json; the nearest are jbloom.*:blocks.8.hook_resid_pre/,
    );
    await assert.rejects(
      download("gpt2-small-mlp-tm/blocks.0.hook_mlp_out"),
      /the nearest names are gpt2-small-mlp-tm\/blocks.0.hook_mlp_out/,
    );
    await assert.rejects(
      download("gpt2-small-hook-z-kk/blocks.5.hook_z"),
      /published as a pickle.*save_model/s,
    );
    assert.throws(
      () => namedSae("gpt2-res-jb/blocks.8.hook_resid_pre"),
      /the nearest are gpt2-small-res-jb\/blocks/,
    );
    await assert.rejects(locateSae(JB, cache), /`.\/run sae gpt2-small-res-jb/);
    await assert.rejects(locateSae("nothing", cache), /the nearest are/);
  }));
