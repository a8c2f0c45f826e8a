// Python's huggingface_hub and we share a cache: what one of us downloaded, the other finds, with no request.
import assert from "node:assert/strict";
import { join } from "node:path";
import { named } from "../../src/checkpoints/hub/family.ts";
import { findInCache } from "../../src/checkpoints/hub/find.ts";
import { withLock } from "../../src/checkpoints/hub/lock.ts";
import { checkSnapshot } from "../../src/checkpoints/hub/snapshot.ts";
import { VerifiedFiles } from "../../src/checkpoints/hub/verified.ts";
import { openCheckpoint } from "../../src/checkpoints/checkpoint.ts";
import { type HubBench, REPOSITORY, tinyFiles, withHub } from "../support/hub_model.ts";
import { python } from "../support/python.ts";
import { cdn, cut, first } from "../support/hub_faults.ts";

function environmentOf({ hub, scratch }: HubBench): Record<string, string> {
  return {
    HOME: scratch,
    HF_HOME: scratch,
    HF_ENDPOINT: hub.endpoint,
    HF_HUB_DISABLE_PROGRESS_BARS: "1",
    HF_HUB_DISABLE_TELEMETRY: "1",
  };
}

Deno.test("what Python downloaded is found, checked and loaded with no request", () =>
  withHub(async (bench) => {
    const { hub, cache, commit, download } = bench;
    const env = environmentOf(bench);
    const directory = await python(
      `
import json, sys, huggingface_hub
patterns = ["*.json", "*.safetensors"]
print(json.dumps(huggingface_hub.snapshot_download(json.load(sys.stdin), allow_patterns=patterns)))`,
      { input: REPOSITORY, env },
    );
    hub.seen.length = 0;
    const found = await findInCache(cache, named(REPOSITORY));
    assert.equal(found?.directory, directory);
    assert.equal(found?.commit, commit);
    const checked = await checkSnapshot(found!.snapshot, {
      verified: new VerifiedFiles(undefined),
    });
    assert.deepEqual(checked, { damaged: [], unknown: [] });
    await using checkpoint = await openCheckpoint(found!.directory);
    assert.equal(checkpoint.architecture.layers, 3);
    assert.equal((await download({ revision: commit })).wasThere, true);
    assert.equal(hub.seen.length, 0);
  }));

Deno.test("what we downloaded is found by Python with no request, and nothing in the cache puzzles it", () =>
  withHub(async (bench) => {
    const { hub, download, commit } = bench;
    const { directory } = await download();
    hub.seen.length = 0;
    const answer = await python(
      `
import json, sys, huggingface_hub
name = json.load(sys.stdin)
paths = [huggingface_hub.hf_hub_download(name, file) for file in ["config.json", "model.safetensors"]]
from safetensors import safe_open
tensors = len(safe_open(paths[1], "np").keys())
cache = huggingface_hub.scan_cache_dir()
repos = [[repo.repo_id, [[r.commit_hash, sorted(r.refs), sorted(f.file_name for f in r.files)] for r in repo.revisions]] for repo in cache.repos]
print(json.dumps([paths, tensors > 0, repos, [str(w) for w in cache.warnings]]))`,
      { input: REPOSITORY, env: { ...environmentOf(bench), HF_HUB_OFFLINE: "1" } },
    );
    const names = ["config.json", "model.safetensors"];
    assert.deepEqual(answer, [
      names.map((name) => join(directory, name)),
      true,
      [[REPOSITORY, [[commit, ["main"], names]]]],
      [],
    ]);
    assert.equal(hub.seen.length, 0);
  }));

Deno.test("what one of us left incomplete, the other goes on with", () =>
  withHub(async (bench) => {
    const { hub, cache, commit, download } = bench;
    hub.faults = [first(20, cdn, cut(0, { hasLength: true }))];
    await assert.rejects(() => download());
    hub.faults = [];
    const hash = hub.hashOf(REPOSITORY, commit, "model.safetensors");
    const blob = join(cache, `models--${REPOSITORY.replace("/", "--")}`, "blobs", hash);
    const { "model.safetensors": weights } = await tinyFiles();
    // As Python leaves it: with no ETag beside it.
    await Deno.writeFile(`${blob}.incomplete`, weights!.subarray(0, 123_456));
    await Deno.remove(`${blob}.incomplete.etag`).catch(() => {});
    hub.seen.length = 0;
    await download();
    assert.equal(hub.seen.find(cdn)!.headers.get("range"), "bytes=123456-");
    assert.deepEqual(await Deno.readFile(blob), weights);

    await Deno.rename(blob, `${blob}.incomplete`);
    await Deno.truncate(`${blob}.incomplete`, 123_456);
    hub.seen.length = 0;
    await python(
      `
import json, sys, huggingface_hub
print(json.dumps(huggingface_hub.hf_hub_download(json.load(sys.stdin), "model.safetensors", force_download=False)))`,
      { input: REPOSITORY, env: environmentOf(bench) },
    );
    assert.deepEqual(await Deno.readFile(blob), weights);
  }));

Deno.test("Python waits for our lock, and we for Python's", () =>
  withHub(async (bench) => {
    const { hub, cache, commit, download, lines } = bench;
    const env = environmentOf(bench);
    const hash = hub.hashOf(REPOSITORY, commit, "model.safetensors");
    const path = join(cache, ".locks", `models--${REPOSITORY.replace("/", "--")}`, `${hash}.lock`);
    const order: string[] = [];
    let theirs: Promise<unknown> | undefined;
    await withLock(path, async () => {
      theirs = python(
        `
import json, sys, huggingface_hub
print(json.dumps(huggingface_hub.hf_hub_download(json.load(sys.stdin), "model.safetensors")))`,
        { input: REPOSITORY, env },
      ).then(() => order.push("theirs"));
      while (!hub.seen.some(({ method }) => method === "HEAD")) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.equal(
        hub.seen.filter(({ host, method }) => host === "cdn" && method === "GET").length,
        0,
      );
      order.push("ours");
    });
    await theirs;
    assert.deepEqual(order, ["ours", "theirs"]);

    await Deno.remove(cache, { recursive: true });
    const ready = join(bench.scratch, "ready");
    const holding = python(
      `
import json, os, sys, time
from filelock import FileLock
path, ready = json.load(sys.stdin)
os.makedirs(os.path.dirname(path), exist_ok=True)
with FileLock(path):
    open(ready, "w").close()
    time.sleep(0.5)
print("null")`,
      { input: [path, ready], env },
    ).then(() => order.push("theirs again"));
    while (!(await Deno.stat(ready).catch(() => false))) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    hub.seen.length = 0;
    const downloading = download().then(() => order.push("ours again"));
    await Promise.all([holding, downloading]);
    assert.match(lines.join("\n"), /model\.safetensors is being downloaded by another process/);
  }));
