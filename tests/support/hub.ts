import { createHash } from "node:crypto";

/** What a file of the hub holds: bytes, or a path to them. */
export type Content = Uint8Array<ArrayBuffer> | string;

/** A request that the hub has seen. */
export interface Seen {
  /** The hub itself, or the host that it redirects to for large files. */
  readonly host: "hub" | "cdn";
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
}

/** Answers in place of the hub, or changes its answer; undefined lets the next one try. */
export type Fault = (
  seen: Seen,
  normal: Normal,
) => Response | Promise<Response> | undefined;

/** What the hub answers, to the request or to one with other headers. */
export type Normal = (change?: (headers: Headers) => void) => Promise<Response>;

/** A file as the hub keeps it. */
interface Stored {
  readonly content: Content;
  readonly size: number;
  /** git's hash of the file, or for a large one of its pointer. */
  readonly gitHash: string;
  readonly sha256: string;
  readonly isLarge: boolean;
}

type Asked = Pick<Request, "method" | "headers">;

/** Files of more than so many bytes are kept outside git, and weights always. */
const LARGE = 100_000;

/**
 * A hub on loopback, with the layout, the headers and the redirects of the real one. Files outside git come from a second
 * server, as they do there.
 */
export class TestHub implements AsyncDisposable {
  /** Every request, in order. */
  readonly seen: Seen[] = [];
  /** Asked in order before an answer is given. */
  faults: Fault[] = [];
  /** Bytes a second of each answer. */
  rate = Infinity;
  readonly #models = new Map<string, Map<string, Map<string, Stored>>>();
  readonly #refs = new Map<string, string>();
  readonly #hub: Deno.HttpServer<Deno.NetAddr>;
  readonly #cdn: Deno.HttpServer<Deno.NetAddr>;

  constructor({ port = 0 }: { port?: number } = {}) {
    this.#hub = this.#listen("hub", port, (request, url) => this.#answerHub(request, url));
    this.#cdn = this.#listen("cdn", 0, (request, url) => this.#answerCdn(request, url));
  }

  /** What HF_ENDPOINT is for this hub. */
  get endpoint(): string {
    return `http://127.0.0.1:${this.#hub.addr.port}`;
  }

  /** Where large files come from. */
  get cdn(): string {
    return `http://127.0.0.1:${this.#cdn.addr.port}`;
  }

  /**
   * Puts a commit of a model there, and `main` at it.
   *
   * @returns The commit's hash.
   */
  async publish(
    repository: string,
    files: Readonly<Record<string, Content>>,
    { commit = createHash("sha1").update(repository + Math.random()).digest("hex"), ref = "main" } =
      {},
  ): Promise<string> {
    const stored = await Promise.all(
      Object.entries(files).map(async ([name, content]) =>
        [name, await store(name, content)] as const
      ),
    );
    const commits = this.#models.get(repository) ?? new Map();
    this.#models.set(repository, commits.set(commit, new Map(stored)));
    this.#refs.set(`${repository}@${ref}`, commit);
    return commit;
  }

  /** The hash that a file has in the cache's names. */
  hashOf(repository: string, commit: string, name: string): string {
    return etagOf(this.#models.get(repository)!.get(commit)!.get(name)!);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#hub.shutdown(), this.#cdn.shutdown()]);
  }

  #listen(
    host: Seen["host"],
    port: number,
    answer: (asked: Asked, url: URL) => Response | Promise<Response>,
  ): Deno.HttpServer<Deno.NetAddr> {
    const handle = async (request: Request): Promise<Response> => {
      const url = new URL(request.url);
      const { method, headers } = request;
      const seen = { host, method, path: decodeURIComponent(url.pathname), headers };
      this.seen.push(seen);
      const normal: Normal = async (change = () => {}) => {
        const asked = new Headers(headers);
        change(asked);
        return await answer({ method, headers: asked }, url);
      };
      for (const fault of this.faults) {
        const response = await fault(seen, normal);
        if (response) return response;
      }
      return await normal();
    };
    return Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, handle);
  }

  #answerHub({ method, headers }: Asked, url: URL): Response | Promise<Response> {
    const path = decodeURIComponent(url.pathname);
    const api = path.match(/^\/api\/models\/(.+)\/(revision|tree)\/(.+)$/);
    if (api) return this.#describe(api[1]!, api[3]!, api[2] === "tree");
    const file = path.match(/^\/([^/]+(?:\/[^/]+)?)\/resolve\/([^/]+)\/(.+)$/);
    if (!file) return refuse(404, "");
    const [, repository, revision, name] = file as unknown as [string, string, string, string];
    const found = this.#find(repository, revision);
    if (found instanceof Response) return found;
    const stored = found.files.get(name);
    if (!stored) return refuse(404, "EntryNotFound", { "x-repo-commit": found.commit });
    const about = {
      "x-repo-commit": found.commit,
      etag: `"${etagOf(stored)}"`,
      "accept-ranges": "bytes",
    };
    if (!stored.isLarge) return this.#serve(stored, { method, headers, about });
    return new Response(null, {
      status: 302,
      headers: {
        ...about,
        location: `${this.cdn}/files/${stored.sha256}?signature=${crypto.randomUUID()}`,
        "x-linked-size": String(stored.size),
        "x-linked-etag": `"${stored.sha256}"`,
      },
    });
  }

  #answerCdn({ method, headers }: Asked, url: URL): Response | Promise<Response> {
    const sha256 = url.pathname.split("/").at(-1);
    const stored = this.#models.values().flatMap((commits) => commits.values())
      .flatMap((files) => files.values()).find((file) => file.sha256 === sha256);
    if (!stored) return refuse(403, "");
    // Another ETag than the hub's: its storage has one of its own.
    const about = { etag: `"cdn-${sha256!.slice(0, 16)}"`, "accept-ranges": "bytes" };
    return this.#serve(stored, { method, headers, about });
  }

  #describe(repository: string, revision: string, isTree: boolean): Response {
    const found = this.#find(repository, revision);
    if (found instanceof Response) return found;
    const files = [...found.files].map(([name, { size, gitHash, sha256, isLarge }]) => {
      const lfs = { size, pointerSize: 134 };
      return isTree
        ? {
          type: "file",
          path: name,
          size,
          oid: gitHash,
          ...(isLarge && { lfs: { oid: sha256, ...lfs } }),
        }
        : { rfilename: name, size, blobId: gitHash, ...(isLarge && { lfs: { sha256, ...lfs } }) };
    });
    if (isTree) return Response.json(files);
    const id = repository;
    return Response.json({ id, modelId: id, sha: found.commit, private: false, siblings: files });
  }

  #find(
    repository: string,
    revision: string,
  ): { commit: string; files: ReadonlyMap<string, Stored> } | Response {
    const commits = this.#models.get(repository);
    if (!commits) return refuse(401, "RepoNotFound");
    const commit = this.#refs.get(`${repository}@${revision}`) ?? revision;
    const files = commits.get(commit);
    return files ? { commit, files } : refuse(404, "RevisionNotFound");
  }

  async #serve(
    { content, size }: Stored,
    { method, headers, about }: {
      method: string;
      headers: Headers;
      about: Record<string, string>;
    },
  ): Promise<Response> {
    const ifRange = headers.get("if-range");
    const isSame = ifRange === null || ifRange === about.etag;
    const range = isSame ? headers.get("range")?.match(/^bytes=(\d+)-(\d*)$/) : undefined;
    const start = range ? Number(range[1]) : 0;
    const end = range?.[2] ? Math.min(size, Number(range[2]) + 1) : size;
    if (start >= size && size > 0) {
      return new Response(null, { status: 416, headers: { "content-range": `bytes */${size}` } });
    }
    const body = method === "HEAD" ? null : await this.#stream(content, start, end);
    return new Response(body, {
      status: range ? 206 : 200,
      headers: {
        ...about,
        "content-length": String(end - start),
        ...(range && { "content-range": `bytes ${start}-${end - 1}/${size}` }),
      },
    });
  }

  async #stream(content: Content, start: number, end: number): Promise<ReadableStream> {
    const file = typeof content === "string" ? await Deno.open(content) : undefined;
    await file?.seek(start, Deno.SeekMode.Start);
    const size = file ? 2 ** 20 : 2 ** 16;
    let at = start;
    return new ReadableStream({
      pull: async (controller) => {
        if (this.rate < Infinity) {
          await new Promise((resolve) => setTimeout(resolve, 1000 * size / this.rate));
        }
        let chunk = new Uint8Array(Math.min(size, end - at));
        if (file) chunk = chunk.subarray(0, await file.read(chunk) ?? 0);
        else chunk.set((content as Uint8Array).subarray(at, at + chunk.length));
        at += chunk.length;
        if (chunk.length > 0) controller.enqueue(chunk);
        if (at < end) return;
        file?.close();
        controller.close();
      },
      cancel: () => file?.close(),
    }, { highWaterMark: 0 });
  }
}

function etagOf({ isLarge, sha256, gitHash }: Stored): string {
  return isLarge ? sha256 : gitHash;
}

function refuse(status: number, code: string, headers: Record<string, string> = {}): Response {
  return Response.json({ error: code }, { status, headers: { ...headers, "x-error-code": code } });
}

async function store(name: string, content: Content): Promise<Stored> {
  const sha256 = createHash("sha256");
  let size = 0;
  if (typeof content === "string") {
    using file = await Deno.open(content);
    for await (const chunk of file.readable) {
      sha256.update(chunk);
      size += chunk.length;
    }
  } else {
    sha256.update(content);
    size = content.length;
  }
  const hash = sha256.digest("hex");
  const isLarge = typeof content === "string" || size > LARGE || name.endsWith(".safetensors");
  const pointer = new TextEncoder().encode(
    `version https://git-lfs.github.com/spec/v1\noid sha256:${hash}\nsize ${size}\n`,
  );
  return {
    content,
    size,
    isLarge,
    sha256: hash,
    gitHash: gitBlob(isLarge ? pointer : content as Uint8Array),
  };
}

function gitBlob(bytes: Uint8Array): string {
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}
