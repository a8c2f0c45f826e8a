// Everything that goes wrong between a hub and a disk. After each fault either the right bytes are there, or nothing is
// that could pass for them.
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  always,
  api,
  bytes,
  cdn,
  cut,
  first,
  flip,
  otherVersion,
  status,
  wholeForPart,
} from "../support/hub_faults.ts";
import { type HubBench, REPOSITORY, tinyFiles, withHub } from "../support/hub_model.ts";

async function assertIntact({ cache, commit }: HubBench): Promise<void> {
  const folder = join(cache, `models--${REPOSITORY.replace("/", "--")}`);
  const files = await tinyFiles();
  for (const name of ["config.json", "model.safetensors"]) {
    assert.deepEqual(await Deno.readFile(join(folder, "snapshots", commit, name)), files[name]);
  }
  for (const { name } of Deno.readDirSync(join(folder, "blobs"))) {
    assert(!name.includes("incomplete"), `${name} was left behind`);
  }
}

async function assertAbsent({ cache, commit, hub }: HubBench, name: string): Promise<void> {
  const folder = join(cache, `models--${REPOSITORY.replace("/", "--")}`);
  const hash = hub.hashOf(REPOSITORY, commit, name);
  for (const path of [join("blobs", hash), join("snapshots", commit, name), join("refs", "main")]) {
    await assert.rejects(() => Deno.lstat(join(folder, path)), { name: "NotFound" }, path);
  }
}

Deno.test("a flipped byte in the weights, and one in a small file, are noticed and thrown away", async () => {
  for (const [name, where] of [["model.safetensors", cdn], ["config.json", bytes]] as const) {
    await withHub(async (bench) => {
      bench.hub.faults = [always(where, flip(77))];
      await assert.rejects(() => bench.download(), {
        name: "HubError",
        message: new RegExp(`${name} .* bytes are not those that its hash says`),
      });
      await assertAbsent(bench, name);
      bench.hub.faults = [];
      await bench.download();
      await assertIntact(bench);
    });
  }
});

for (const hasLength of [true, false]) {
  Deno.test(`a body that is cut ${hasLength ? "with" : "without"} a Content-Length goes on where it stopped`, () =>
    withHub(async (bench) => {
      bench.hub.faults = [first(1, cdn, cut(150_000, { hasLength }))];
      await bench.download();
      await assertIntact(bench);
      const ranges = bench.hub.seen.filter(cdn).map(({ headers }) => headers.get("range"));
      assert.deepEqual(ranges, [null, "bytes=150000-"]);
      const conditions = bench.hub.seen.filter(cdn).map(({ headers }) => headers.get("if-range"));
      assert.match(conditions[1]!, /^"cdn-/, "with the ETag of the first part");
    }));
}

Deno.test("a body that is cut each time ends with a word, and the next start goes on", () =>
  withHub(async (bench) => {
    bench.hub.faults = [
      first(1, cdn, cut(100_000, { hasLength: true })),
      always(cdn, cut(0, { hasLength: true })),
    ];
    await assert.rejects(() => bench.download(), {
      name: "HubError",
      message: /in a row: try again later/,
    });
    bench.hub.faults = [];
    bench.hub.seen.length = 0;
    await bench.download();
    await assertIntact(bench);
    const [request] = bench.hub.seen.filter(cdn);
    assert.equal(request!.headers.get("range"), "bytes=100000-");
    assert.match(request!.headers.get("if-range")!, /^"cdn-/, "kept beside the incomplete file");
  }));

Deno.test("200 to a range request: what was there makes way for the whole", () =>
  withHub(async (bench) => {
    const progress: number[] = [];
    bench.hub.faults = [
      first(1, cdn, cut(150_000, { hasLength: true })),
      always(cdn, wholeForPart()),
    ];
    await bench.download({ onProgress: (done) => progress.push(done) });
    await assertIntact(bench);
    assert(Math.max(...progress) === progress.at(-1), "the bar never shows more than there is");
  }));

Deno.test("a changed ETag between two parts: the parts are never put together", () =>
  withHub(async (bench) => {
    bench.hub.faults = [
      first(1, cdn, cut(150_000, { hasLength: true })),
      first(1, cdn, otherVersion()),
    ];
    await bench.download();
    await assertIntact(bench);
    const ranges = bench.hub.seen.filter(cdn).map(({ headers }) => headers.get("range"));
    assert.deepEqual(ranges, [null, "bytes=150000-", null]);
  }));

Deno.test("an incomplete file of somebody else's: wrong bytes are found out, and the file fetched whole", () =>
  withHub(async (bench) => {
    const { cache, hub, commit } = bench;
    const hash = hub.hashOf(REPOSITORY, commit, "model.safetensors");
    const blobs = join(cache, `models--${REPOSITORY.replace("/", "--")}`, "blobs");
    await Deno.mkdir(blobs, { recursive: true });
    for (const size of [1000, 2 ** 20]) {
      await Deno.writeFile(join(blobs, `${hash}.incomplete`), new Uint8Array(size));
      await bench.download();
      await assertIntact(bench);
      await Deno.remove(cache, { recursive: true });
      await Deno.mkdir(blobs, { recursive: true });
    }
  }));

const REFUSALS: [
  name: string,
  code: number,
  errorCode: string,
  token: string | undefined,
  message: RegExp,
][] = [
  [
    "401",
    401,
    "RepoNotFound",
    undefined,
    /private, or does not exist: if it is yours, set HF_TOKEN/,
  ],
  ["401 with a token", 401, "", "hf_x", /HF_TOKEN is not accepted/],
  [
    "401 of a gated model",
    401,
    "GatedRepo",
    undefined,
    /it is gated: accept its conditions at http.*tiny-gpt2, then set HF_TOKEN/,
  ],
  [
    "403 of a gated model",
    403,
    "GatedRepo",
    "hf_x",
    /it is gated: .* with the account of HF_TOKEN/,
  ],
  ["403", 403, "", undefined, /forbids it/],
  ["404", 404, "RepoNotFound", undefined, /no such model or file/],
  ["404 of a revision", 404, "RevisionNotFound", undefined, /no such revision/],
];
for (const [name, code, errorCode, token, message] of REFUSALS) {
  Deno.test(`${name} is reported at once, with what to do`, () =>
    withHub(async (bench) => {
      for (const where of [api, bytes]) {
        bench.hub.seen.length = 0;
        bench.hub.faults = [always(where, status(code, { "x-error-code": errorCode }))];
        await assert.rejects(() => bench.download({ ...(token && { token }) }), {
          name: "HubError",
          status: code,
          message,
        });
        assert.equal(bench.hub.seen.filter(where).length, 1, "nobody asks twice");
      }
      assert.deepEqual(bench.waits, []);
    }));
}

Deno.test("429 waits as long as Retry-After says, in seconds or until a date", () =>
  withHub(async (bench) => {
    const date = new Date(Date.now() + 30_000).toUTCString();
    bench.hub.faults = [
      first(1, api, status(429, { "retry-after": "7" })),
      first(1, cdn, status(429, { "retry-after": date })),
    ];
    await bench.download();
    await assertIntact(bench);
    assert.equal(bench.waits[0], 7000);
    assert(bench.waits[1]! > 20_000 && bench.waits[1]! <= 30_000, `${bench.waits[1]}`);
    assert.match(bench.lines[0]!, /answered 429: trying again in 7 s/);
  }));

Deno.test("429 that asks for an hour is not waited for", () =>
  withHub(async (bench) => {
    bench.hub.faults = [always(api, status(429, { "retry-after": "3600" }))];
    await assert.rejects(() => bench.download(), {
      message: /answered 429: try again in 60 minutes/,
    });
    assert.deepEqual(bench.waits, []);
  }));

Deno.test("500 twice, then 200: the third request is answered, after growing waits", () =>
  withHub(async (bench) => {
    bench.hub.faults = [first(2, api, status(500)), first(2, cdn, status(503))];
    await bench.download();
    await assertIntact(bench);
    assert.equal(bench.waits.length, 4);
    assert(bench.waits[0]! >= 250 && bench.waits[0]! <= 750 && bench.waits[1]! >= 500);
  }));

Deno.test("500 for ever ends", () =>
  withHub(async (bench) => {
    bench.hub.faults = [always(bytes, status(500))];
    await assert.rejects(() => bench.download(), { message: /answered 500, 6 times in a row/ });
  }));

Deno.test("the token goes to the hub, and to no host that it redirects to", () =>
  withHub(async (bench) => {
    await bench.download({ token: "hf_secret" });
    await assertIntact(bench);
    const sent = bench.hub.seen.map(({ host, headers }) => [host, headers.get("authorization")]);
    assert(sent.some(([host]) => host === "cdn"));
    for (const [host, token] of sent) {
      assert.equal(token, host === "hub" ? "Bearer hf_secret" : null);
    }
  }));

Deno.test("the token does not come back with a redirect that leads away and back", () =>
  withHub(async (bench) => {
    const { hub } = bench;
    const back = `${hub.endpoint}/back`;
    hub.faults = [
      first(1, api, status(302, { location: `${hub.cdn}/away` })),
      first(1, ({ path }) => path === "/away", status(302, { location: back })),
      first(1, ({ path }) => path === "/back", status(404)),
    ];
    await assert.rejects(() => bench.download({ token: "hf_secret" }), { status: 404 });
    const tokens = hub.seen.map(({ headers }) => headers.get("authorization"));
    assert.deepEqual(tokens, ["Bearer hf_secret", null, null]);
  }));

Deno.test("redirects without end, and to what is no web address, are refused", () =>
  withHub(async (bench) => {
    const { hub } = bench;
    hub.faults = [always(api, status(302, { location: `${hub.endpoint}/api/again` }))];
    await assert.rejects(() => bench.download(), { message: /redirected more than 10 times/ });
    hub.faults = [always(api, status(302, { location: "file:///etc/passwd" }))];
    await assert.rejects(() => bench.download(), { message: /redirect .* leads to file:/ });
  }));

Deno.test("a name with .. writes nothing outside of its directory", async () => {
  const files = await tinyFiles();
  for (
    const name of [
      "../outside.safetensors",
      "a/../../outside.safetensors",
      "/outside.safetensors",
      "..\\outside.safetensors",
    ]
  ) {
    await withHub(async ({ download, hub, scratch }) => {
      await assert.rejects(() => download());
      assert(hub.seen.every(({ host }) => host === "hub"));
      for (const path of ["outside.safetensors", "hub/outside.safetensors"]) {
        await assert.rejects(() => Deno.lstat(join(scratch, path)), { name: "NotFound" });
      }
    }, {
      "config.json": files["config.json"]!,
      "model.safetensors.index.json": new TextEncoder().encode(
        JSON.stringify({ weight_map: { "wte.weight": name } }),
      ),
      [name]: files["model.safetensors"]!,
    });
  }
  await withHub(async ({ download }) => {
    await assert.rejects(() => download({ revision: "../../x" }), { message: /name of a branch/ });
    await assert.rejects(async () => await download({ name: "../../etc" }), {
      message: /name must be one of/,
    });
  });
});

Deno.test("a disk without room is noticed before the first byte of the weights", () =>
  withHub(async (bench) => {
    await assert.rejects(() => bench.download({ free: () => Promise.resolve(100_000) }), {
      message: /Cannot download 358 kB as the disk of .* has 100 kB left/,
    });
    assert.equal(bench.hub.seen.filter(cdn).length, 0);
  }));

Deno.test("a body longer than was stated is not taken", () =>
  withHub(async (bench) => {
    bench.hub.faults = [always(cdn, async (_, normal) => {
      const body = await (await normal()).bytes();
      return new Response(new Blob([body, body]).stream());
    })];
    await assert.rejects(() => bench.download(), { message: /more bytes came than/ });
    await assertAbsent(bench, "model.safetensors");
  }));

Deno.test("a hub that says nothing is given up on", () =>
  withHub(async (bench) => {
    const { hub, cache } = bench;
    const environment = {
      endpoint: hub.endpoint,
      cache,
      token: undefined,
      isOffline: false,
      timeout: 20,
    };
    const { promise, resolve } = Promise.withResolvers<Response>();
    hub.faults = [always(api, () => promise)];
    await assert.rejects(() => bench.download({ environment }), {
      message: /nothing came from 127\.0\.0\.1:\d+ for 0.02 s, 6 times/,
    });
    resolve(new Response());
  }));

Deno.test("two downloads of the same model at once: each byte is fetched once", () =>
  withHub(async (bench) => {
    bench.hub.rate = 2e6;
    await Promise.all([bench.download(), bench.download()]);
    await assertIntact(bench);
    assert.equal(bench.hub.seen.filter(cdn).length, 1);
    assert.match(bench.lines.join("\n"), /is being downloaded by another process: waiting for it/);
  }));

Deno.test("a disk that fills up meanwhile: what has come is kept, and gone on with when there is room", () =>
  withHub(async (bench) => {
    const { write } = Deno.FsFile.prototype;
    let room = 200_000;
    // As it is on a full disk: some of the bytes are written, then none.
    Deno.FsFile.prototype.write = function (bytes) {
      if (room === 0) {
        const full = new Error("No space left on device (os error 28)");
        return Promise.reject(Object.assign(full, { code: "ENOSPC" }));
      }
      const some = bytes.subarray(0, room);
      room -= some.length;
      return write.call(this, some);
    };
    try {
      await assert.rejects(() => bench.download(), {
        name: "HubError",
        message: /model\.safetensors as the disk is full: make room and start again/,
      });
    } finally {
      Deno.FsFile.prototype.write = write;
    }
    await assertAbsent(bench, "model.safetensors");
    bench.hub.seen.length = 0;
    await bench.download();
    await assertIntact(bench);
    assert.match(bench.hub.seen.find(cdn)!.headers.get("range")!, /^bytes=19\d{4}-$/);
  }));
