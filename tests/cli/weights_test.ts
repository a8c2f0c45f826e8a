import assert from "node:assert/strict";
import { join } from "node:path";
import { BUNDLED } from "../support/fixtures.ts";
import { TestHub } from "../support/hub.ts";
import { cdn, first, flip } from "../support/hub_faults.ts";
import { REPOSITORY, tinyFiles } from "../support/hub_model.ts";
import { type Ended, runTask, withServer } from "../support/serve.ts";

const ROOT = new URL("../../", import.meta.url);

interface Bench {
  readonly hub: TestHub;
  readonly commit: string;
  readonly env: Record<string, string>;
  readonly cache: string;
  weights(...args: string[]): Promise<Ended>;
}

/** A hub, and a home of its own for the commands. */
async function withCommands(
  use: (bench: Bench) => Promise<void>,
  files?: Record<string, Uint8Array<ArrayBuffer>>,
): Promise<void> {
  await using hub = new TestHub();
  const home = await Deno.makeTempDir({ prefix: "infoflow-hub-" });
  try {
    const caches = Deno.env.get("XDG_CACHE_HOME") || join(Deno.env.get("HOME")!, ".cache");
    const env = {
      DENO_DIR: Deno.env.get("DENO_DIR") || join(caches, "deno"),
      XDG_CACHE_HOME: join(home, "caches"),
      HF_HOME: home,
      HF_ENDPOINT: hub.endpoint,
      HF_TOKEN: "",
      NO_COLOR: "1",
    };
    await use({
      hub,
      commit: await hub.publish(REPOSITORY, files ?? await tinyFiles()),
      env,
      cache: join(home, "hub"),
      weights: (...args) => runTask("weights", args, { env }),
    });
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}

async function bundledFiles(): Promise<Record<string, Uint8Array<ArrayBuffer>>> {
  const names = ["config.json", "model.safetensors"];
  const files = names.map(async (name) =>
    [name, await Deno.readFile(join(BUNDLED, name))] as const
  );
  return Object.fromEntries(await Promise.all(files));
}

Deno.test("weights downloads, lists, verifies and removes", () =>
  withCommands(async ({ hub, commit, cache, weights }) => {
    assert.match((await weights("list")).stdout, /^no GPT-2 in .*\/hub\n$/);
    const downloaded = await weights(REPOSITORY);
    assert.equal(downloaded.code, 0, downloaded.stderr);
    assert.match(
      downloaded.stdout,
      new RegExp(`^${REPOSITORY} at ${commit.slice(0, 8)} is in ${cache}/`),
    );
    assert.match(downloaded.stdout, /start it with: .\/run serve --model somebody\/tiny-gpt2/);

    const row = `${REPOSITORY}  358 kB  ${commit.slice(0, 8)} main`;
    assert.equal((await weights("list")).stdout, `${row}  verified\n`);
    assert.match((await weights("verify", REPOSITORY)).stdout, /every file is right/);

    const hash = hub.hashOf(REPOSITORY, commit, "model.safetensors");
    const blob = join(cache, "models--somebody--tiny-gpt2/blobs", hash);
    const bytes = await Deno.readFile(blob);
    bytes[9999]! ^= 1;
    await Deno.writeFile(blob, bytes);
    assert.equal((await weights("list")).stdout, `${row}  not verified\n`);
    const damaged = await weights("verify");
    assert.equal(damaged.code, 1);
    assert.match(damaged.stdout, /model\.safetensors is not what its hash says/);
    assert.match(
      damaged.stdout,
      new RegExp(`./run weights ${REPOSITORY} --revision ${commit}`),
    );
    assert.equal((await weights(REPOSITORY, "--revision", commit)).code, 0);
    assert.equal((await weights("verify")).code, 0);

    assert.match(
      (await weights("remove", REPOSITORY)).stdout,
      /^removed somebody\/tiny-gpt2, 358 kB/,
    );
    await assert.rejects(() => Deno.stat(join(cache, "models--somebody--tiny-gpt2")));
    assert.match(
      (await weights("remove", REPOSITORY)).stderr,
      /^error: Cannot find somebody\/tiny-gpt2/,
    );
  }));

Deno.test("weights says what is wrong with how it was called", () =>
  withCommands(async ({ weights }) => {
    const misuses: [args: string[], code: number, message: RegExp][] = [
      [[], 2, /^error: weights takes the name of a model: gpt2, /],
      [["gpt5"], 1, /^error: Cannot look for a model on the hub as its name must be one of gpt2, /],
      [["gpt2", "gpt2"], 2, /^error: weights takes one name/],
      [["remove"], 2, /^error: weights remove takes the name of a model/],
      [
        ["somebody/else"],
        1,
        /^error: Cannot read somebody\/else as it is private, or does not exist/,
      ],
    ];
    for (const [args, code, message] of misuses) {
      const ended = await weights(...args);
      assert.match(ended.stderr, message);
      assert.equal(ended.code, code);
    }
  }));

Deno.test("a flipped byte ends weights with a word and 1, and nothing is left to be run", () =>
  withCommands(async ({ hub, weights, env }) => {
    hub.faults = [first(9, cdn, flip(77_777))];
    const { code, stderr } = await weights(REPOSITORY);
    assert.equal(code, 1);
    assert.match(stderr, /^error: Cannot take model\.safetensors .* were changed on the way/m);
    const served = await runTask("serve", ["--port", "0", "--model", REPOSITORY], { env });
    assert.match(
      served.stderr,
      /^error: Cannot find somebody\/tiny-gpt2 as it has not been downloaded/,
    );
  }));

Deno.test("a download that is killed goes on where it stopped", async () => {
  const files = await bundledFiles();
  await withCommands(async ({ hub, commit, env, weights, cache }) => {
    hub.rate = 8e6;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "src/cli/weights.ts", REPOSITORY],
      cwd: ROOT,
      env,
      stdout: "null",
      stderr: "null",
    });
    const hash = hub.hashOf(REPOSITORY, commit, "model.safetensors");
    const blob = join(cache, "models--somebody--tiny-gpt2/blobs", hash);
    const size = async (): Promise<number> =>
      (await Deno.stat(`${blob}.incomplete`).catch(() => ({ size: 0 }))).size;
    const running = child.spawn();
    while (await size() < 3e6) await new Promise((resolve) => setTimeout(resolve, 5));
    running.kill("SIGKILL");
    await running.status;
    const kept = await size();
    assert(kept >= 3e6 && kept < files["model.safetensors"]!.length);

    hub.rate = Infinity;
    hub.seen.length = 0;
    const { code, stderr } = await weights(REPOSITORY);
    assert.equal(code, 0, stderr);
    assert.equal(hub.seen.find(cdn)!.headers.get("range"), `bytes=${kept}-`);
    assert.deepEqual(await Deno.readFile(blob), files["model.safetensors"]);
  }, files);
});

Deno.test("serve --download fetches a model that is missing, and later starts ask nobody", async () => {
  await withCommands(async ({ hub, env }) => {
    const args = ["--model", REPOSITORY];
    const missing = await runTask("serve", ["--port", "0", ...args], { env });
    assert.equal(missing.code, 1);
    assert.match(
      missing.stderr,
      /`.\/run weights somebody\/tiny-gpt2` does so, and serve with --download/,
    );
    await withServer(async ({ origin, startLines }) => {
      assert.match(startLines.join("\n"), /model +somebody\/tiny-gpt2: 6 layers/);
      const response = await fetch(`${origin}/info-flow.arrow?prompt=Hello`);
      assert.equal(response.status, 200);
      await response.body?.cancel();
    }, { args: [...args, "--download"], env });
    hub.seen.length = 0;
    await withServer(() => Promise.resolve(), { args: [...args, "--download"], env });
    assert.equal(hub.seen.length, 0);
  }, await bundledFiles());
});
