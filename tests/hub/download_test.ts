import assert from "node:assert/strict";
import { join } from "node:path";
import { named } from "../../src/checkpoints/hub/family.ts";
import { findInCache } from "../../src/checkpoints/hub/find.ts";
import { inBytes } from "../../src/sizes.ts";
import { openCheckpoint } from "../../src/checkpoints/checkpoint.ts";
import { FIXTURES } from "../support/fixtures.ts";
import { REPOSITORY, tinyFiles, withHub } from "../support/hub_model.ts";

const FOLDER = `models--${REPOSITORY.replace("/", "--")}`;

Deno.test("a download leaves what Python's cache has: blobs, relative links, a ref", () =>
  withHub(async ({ hub, cache, commit, download }) => {
    const progress: [number, number][] = [];
    const { directory } = await download({ onProgress: (...it) => progress.push(it) });
    assert.equal(directory, join(cache, FOLDER, "snapshots", commit));
    const files = await tinyFiles();
    for (const name of ["config.json", "model.safetensors"]) {
      const hash = hub.hashOf(REPOSITORY, commit, name);
      assert.equal(await Deno.readLink(join(directory, name)), `../../blobs/${hash}`);
      assert.deepEqual(await Deno.readFile(join(directory, name)), files[name]);
    }
    assert.equal(await Deno.readTextFile(join(cache, FOLDER, "refs", "main")), commit);
    const blobs = Array.from(Deno.readDirSync(join(cache, FOLDER, "blobs")), ({ name }) => name);
    assert.equal(blobs.length, 2, "only what is needed, and nothing incomplete");
    const total = files["config.json"]!.length + files["model.safetensors"]!.length;
    assert.deepEqual(progress.at(-1), [total, total]);
  }));

Deno.test("a commit that is in the cache is there without a request; main is asked about, not fetched", () =>
  withHub(async ({ hub, commit, download }) => {
    await download();
    hub.seen.length = 0;
    assert.equal((await download({ revision: commit })).wasThere, true);
    assert.equal(hub.seen.length, 0);
    await download();
    assert.deepEqual(hub.seen.map(({ path }) => path), [
      `/api/models/${REPOSITORY}/revision/main`,
    ]);
  }));

Deno.test("a new commit fetches only the files that it changed", () =>
  withHub(async ({ hub, cache, download }) => {
    await download();
    const files = await tinyFiles();
    const config = new TextDecoder().decode(files["config.json"]);
    const next = await hub.publish(REPOSITORY, {
      ...files,
      "config.json": new TextEncoder().encode(config + "\n"),
    });
    hub.seen.length = 0;
    assert.equal((await download()).commit, next);
    const paths = hub.seen.map(({ path }) => path);
    assert.deepEqual(paths.slice(1), [`/${REPOSITORY}/resolve/${next}/config.json`]);
    assert.equal(await Deno.readTextFile(join(cache, FOLDER, "refs", "main")), next);
  }));

Deno.test("--dir has the files themselves, and does without those that are right already", () =>
  withHub(async ({ hub, scratch, download }) => {
    const directory = join(scratch, "model");
    await download({ directory });
    const names = Array.from(Deno.readDirSync(directory), ({ name }) => name).sort();
    assert.deepEqual(names, ["config.json", "model.safetensors"]);
    const files = await tinyFiles();
    assert.deepEqual(
      await Deno.readFile(join(directory, "model.safetensors")),
      files["model.safetensors"],
    );
    hub.seen.length = 0;
    await Deno.writeTextFile(join(directory, "config.json"), "{}");
    await download({ directory });
    assert.deepEqual(hub.seen.filter(({ path }) => path.includes("/resolve/")).length, 1);
    assert.deepEqual(await Deno.readFile(join(directory, "config.json")), files["config.json"]);
  }));

Deno.test("a shard whose name leads elsewhere, and a config that can't be run, end before the weights", async () => {
  const files = await tinyFiles();
  const text = (value: unknown): Uint8Array<ArrayBuffer> =>
    new TextEncoder().encode(JSON.stringify(value));
  const { "model.safetensors": weights, "config.json": config } = files;
  const evil = "../../../../outside.safetensors";
  await withHub(async ({ hub, download }) => {
    await assert.rejects(() => download(), {
      name: "RangeError",
      message: /same directory.*outside/,
    });
    assert(hub.seen.every(({ host }) => host === "hub"));
  }, {
    "config.json": config!,
    "model.safetensors.index.json": text({ weight_map: { "wte.weight": evil } }),
    [evil]: weights!,
  });
  await withHub(async ({ hub, download }) => {
    await assert.rejects(() => download(), { name: "RangeError", message: /model_type/ });
    assert(hub.seen.every(({ host }) => host === "hub"));
  }, { ...files, "config.json": text({ model_type: "llama" }) });
});

Deno.test("a model without safetensors is refused with the name of what it has", async () => {
  const { "model.safetensors": _, ...files } = await tinyFiles();
  await withHub(({ download }) =>
    assert.rejects(() => download(), {
      name: "HubError",
      message: /has no model\.safetensors; pytorch_model\.bin is in a format that is not read/,
    }), files);
});

Deno.test("pins: the pinned commit is fetched, a hub that lacks it or states other bytes is not believed", () =>
  withHub(async ({ hub, commit, download, cache }) => {
    const sha256 = hub.hashOf(REPOSITORY, commit, "model.safetensors");
    const family = (revision: string, hash: string) => ({
      tiny: {
        repository: REPOSITORY,
        formerly: [],
        revision,
        files: { "model.safetensors": { sha256: hash } },
      },
    });
    const later = await hub.publish(REPOSITORY, {
      ...await tinyFiles(),
      "notes.txt": new Uint8Array(3),
    });
    assert.equal((await download({ name: "tiny", family: family(commit, sha256) })).commit, commit);
    await assert.rejects(
      () => Deno.readTextFile(join(cache, FOLDER, "refs", "main")),
      "main is at another commit, of which nothing is there",
    );
    await assert.rejects(() => download({ name: "tiny", family: family("0".repeat(40), sha256) }), {
      message: /does not have commit 0{40}, .* --revision main/,
    });
    const before = hub.seen.length;
    await assert.rejects(() => download({ name: "tiny", family: family(later, "0".repeat(64)) }), {
      message: /model\.safetensors as the hub has other bytes than weights\/manifest\.json pins/,
    });
    assert.equal(hub.seen.length, before + 1, "nothing was fetched");
  }));

Deno.test("offline: what is there is taken, what is not is refused, and nobody is asked", () =>
  withHub(async ({ hub, cache, download }) => {
    const environment = {
      endpoint: hub.endpoint,
      cache,
      token: undefined,
      isOffline: true,
      timeout: 1,
    };
    await assert.rejects(() => download({ environment }), { message: /HF_HUB_OFFLINE is set/ });
    assert.equal(hub.seen.length, 0);
    await download();
    hub.seen.length = 0;
    assert.equal((await download({ environment })).wasThere, true);
    assert.equal(hub.seen.length, 0);
  }));

Deno.test("a file in the cache that is not what its name says is fetched again", () =>
  withHub(async ({ hub, commit, cache, download }) => {
    const { directory } = await download();
    const hash = hub.hashOf(REPOSITORY, commit, "model.safetensors");
    const blob = join(cache, FOLDER, "blobs", hash);
    const bytes = await Deno.readFile(blob);
    bytes[5000]! ^= 1;
    await Deno.writeFile(blob, bytes);
    await Deno.utime(blob, 0, 1);
    await download({ revision: commit });
    const files = await tinyFiles();
    assert.deepEqual(
      await Deno.readFile(join(directory, "model.safetensors")),
      files["model.safetensors"],
    );
  }));

Deno.test("a model in shards comes with its index, and is loaded from the cache", async () => {
  const source = new URL("architectures/sharded/", FIXTURES);
  const files: Record<string, Uint8Array<ArrayBuffer>> = {};
  for (const { name } of Deno.readDirSync(source)) {
    if (name !== "patterns.safetensors") files[name] = await Deno.readFile(new URL(name, source));
  }
  const [shard] = Object.keys(files).filter((name) => name.startsWith("model-0000"));
  await withHub(async ({ hub, commit, cache, download }) => {
    const { directory } = await download();
    const found = await findInCache(cache, named(REPOSITORY));
    assert.equal(found?.directory, directory);
    assert.equal(found?.commit, commit);
    await using checkpoint = await openCheckpoint(directory);
    assert.equal(checkpoint.architecture.vocabulary, 61);
    assert.equal(
      hub.seen.filter(({ host }) => host === "cdn").length,
      6,
      "a request for each shard",
    );
    // One that lacks a shard is not there.
    await Deno.remove(join(directory, shard!));
    assert.equal(await findInCache(cache, named(REPOSITORY)), undefined);
  }, files);
});

Deno.test("a gated model comes to whoever has the token", () =>
  withHub(async ({ hub, download }) => {
    hub.faults = [({ host, headers }) => {
      if (host === "cdn" || headers.get("authorization") === "Bearer hf_mine") return undefined;
      return new Response(null, { status: 401, headers: { "x-error-code": "GatedRepo" } });
    }];
    await assert.rejects(() => download(), { status: 401, message: /it is gated/ });
    await assert.rejects(() => download({ token: "hf_wrong" }), { status: 401 });
    assert.equal((await download({ token: "hf_mine" })).wasThere, false);
  }));

Deno.test("a renamed model is followed on the hub itself, with the token", () =>
  withHub(async ({ hub, download }) => {
    hub.faults = [({ host, path }) => {
      if (host === "cdn" || !path.includes("old/name")) return undefined;
      const location = path.replace("old/name", REPOSITORY);
      const search = path.startsWith("/api/") ? "?blobs=true" : "";
      return new Response(null, { status: 307, headers: { location: location + search } });
    }];
    await download({ name: "old/name", token: "hf_mine" });
    const followed = hub.seen.filter(({ host, path }) =>
      host === "hub" && path.includes(REPOSITORY)
    );
    assert(followed.length >= 3);
    for (const { headers } of followed) {
      assert.equal(headers.get("authorization"), "Bearer hf_mine");
    }
  }));

Deno.test("inBytes() counts as disks do", () => {
  const said = [0, 999, 1000, 12_345, 548_105_171, 6.4e9].map(inBytes);
  assert.deepEqual(said, ["0 bytes", "999 bytes", "1.00 kB", "12.3 kB", "548 MB", "6.40 GB"]);
});
