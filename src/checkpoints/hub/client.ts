import type { HubEnvironment } from "./environment.ts";
import { HubError } from "./error.ts";
import { refusal } from "./refusal.ts";

/** An answer with the whole file (200), with a part of it (206), or without the part, which does not exist (416). */
export interface HubResponse {
  readonly status: number;
  readonly headers: Headers;
  /**
   * Reads some of the body.
   *
   * @param view Where to; its buffer is not the caller's any more, the one of what is returned is.
   * @returns What was filled, from the view's beginning: nothing at the body's end.
   * @throws {Interruption} If the connection breaks, or nothing comes for too long.
   */
  read(view: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>>;
  /** Ends the request; to be called by a reader that stops before the body's end. */
  cancel(): Promise<void>;
}

/** A passing fault: the same request may well succeed later. */
export class Interruption extends Error {
  override readonly name = "Interruption";

  /** @param waitMs How long the hub asks to wait. */
  constructor(message: string, readonly waitMs?: number, options?: ErrorOptions) {
    super(message, options);
  }
}

/** Waits a number of ms. */
export type Wait = (ms: number) => Promise<void>;

/** How to ask. */
export interface ClientOptions {
  readonly wait?: Wait | undefined;
  /** Told why a request takes longer than usual. */
  readonly say?: ((line: string) => void) | undefined;
}

/** How often a request is made that fails for a passing reason. */
const MOST_ATTEMPTS = 6;
const FIRST_WAIT_MS = 500;
/** The longest wait that a hub may ask for; beyond it the user is told when to try again. */
const LONGEST_WAIT_MS = 5 * 60_000;
const MOST_REDIRECTS = 10;
const ANSWERS = [200, 206, 416];
const TEXT_CHUNK = 2 ** 16;

/**
 * Asks the hub. Passing faults (429, 5xx, a broken connection) are tried again; redirects are followed by hand, because
 * the token is for the hub alone and a file's bytes are mostly on another host.
 */
export class HubClient {
  readonly #environment: HubEnvironment;
  readonly #wait: Wait;
  readonly #say: (line: string) => void;
  #http: Deno.HttpClient | undefined;

  constructor(environment: HubEnvironment, { wait, say }: ClientOptions = {}) {
    this.#environment = environment;
    this.#wait = wait ?? sleep;
    this.#say = say ?? (() => {});
  }

  /**
   * GETs a JSON document, as often as it takes.
   *
   * @throws As {@linkcode ask} and {@linkcode retry} do, and {HubError} if the answer is no JSON.
   */
  async json(path: string, repository: string): Promise<unknown> {
    const text = await this.retry(async () => {
      const answer = await this.ask(path, repository, { accept: "application/json" });
      const decoder = new TextDecoder();
      let text = "";
      for (;;) {
        const chunk = await answer.read(new Uint8Array(TEXT_CHUNK));
        if (chunk.length === 0) return text + decoder.decode();
        text += decoder.decode(chunk, { stream: true });
      }
    });
    try {
      return JSON.parse(text);
    } catch (cause) {
      const where = `${this.#environment.endpoint}${path}`;
      throw new HubError(`Cannot read the hub's answer as it is not JSON: ${where}`, 200, {
        cause,
      });
    }
  }

  /**
   * Tries something, and again after a passing fault.
   *
   * @param hasProgressed Whether the last attempt got further than those before: then attempts are counted anew.
   * @throws {HubError} If passing faults end too many attempts.
   */
  async retry<T>(work: () => Promise<T>, hasProgressed: () => boolean = () => false): Promise<T> {
    for (let attempt = 1;; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof Interruption)) throw error;
        if (hasProgressed()) attempt = 1;
        if (attempt >= MOST_ATTEMPTS) {
          const times = `${attempt} times in a row`;
          throw new HubError(`${error.message}, ${times}: try again later`, undefined, {
            cause: error,
          });
        }
        const ms = error.waitMs ?? FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + Math.random());
        if (ms > LONGEST_WAIT_MS) {
          throw new HubError(`${error.message}: try again in ${Math.ceil(ms / 60_000)} minutes`);
        }
        this.#say(`${error.message}: trying again in ${Math.ceil(ms / 1000)} s`);
        await this.#wait(ms);
      }
    }
  }

  /**
   * Asks for the headers of a path, again after passing faults. They are those of the hub's own answer, which states the
   * size and hash of a file even where it redirects to another host.
   *
   * @throws As {@linkcode ask} and {@linkcode retry} do.
   */
  async head(path: string, repository: string): Promise<Headers> {
    return await this.retry(async () => {
      const answer = await this.#send("HEAD", path, repository, {});
      await answer.cancel();
      return answer.headers;
    });
  }

  /**
   * GETs something, once.
   *
   * @param path What follows the endpoint, beginning with a slash.
   * @param repository The model it is about, for the text of errors.
   * @throws {HubError} If the hub refuses.
   * @throws {Interruption} If it may not refuse next time.
   */
  async ask(
    path: string,
    repository: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<HubResponse> {
    return await this.#send("GET", path, repository, headers);
  }

  async #send(
    method: "GET" | "HEAD",
    path: string,
    repository: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<HubResponse> {
    const { endpoint, token, timeout, certificates = [] } = this.#environment;
    const client = this.#http ??= certificates.length > 0
      ? Deno.createHttpClient({ caCerts: [...certificates] })
      : undefined;
    let url = new URL(endpoint + path);
    let isTrusted = true;
    for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects++) {
      const patience = new Patience(timeout, url.host);
      const response = await patience.hold(fetch(url, {
        method,
        ...(client && { client }),
        headers: {
          "accept-encoding": "identity", // lengths and ranges count bytes of the file
          "user-agent": "infoflow",
          ...headers,
          ...(isTrusted && token && { authorization: `Bearer ${token}` }),
        },
        redirect: "manual",
        signal: patience.signal,
      }));
      const { status } = response;
      const isStated = method === "HEAD" && response.headers.has("x-linked-etag");
      if (ANSWERS.includes(status) || isStated) return answer(response, patience);
      await response.body?.cancel();
      const location = response.headers.get("location");
      if (status >= 300 && status < 400 && location !== null) {
        const next = URL.parse(location, url);
        checkRedirect(url, next, location);
        // Once it has left the hub, a request is never trusted again.
        isTrusted &&= next!.origin === new URL(endpoint).origin;
        url = next!;
        continue;
      }
      if (status === 429 || status >= 500) {
        throw new Interruption(`${url.host} answered ${status}`, retryAfter(response.headers));
      }
      throw refusal(response, { repository, endpoint, host: url.host, hasToken: !!token });
    }
    throw new HubError(`Cannot read ${path} as it is redirected more than ${MOST_REDIRECTS} times`);
  }
}

function checkRedirect(from: URL, to: URL | null, location: string): void {
  const isSafe = to && (to.protocol === "https:" || to.protocol === from.protocol);
  if (!isSafe) {
    throw new HubError(`Cannot follow a redirect of ${from.host} as it leads to ${location}`);
  }
}

/** The error for a fault that a second attempt can't mend; it says what can. */
function hopelessFault({ message, cause }: Error, host: string): HubError | undefined {
  const text = `${message} ${(cause as Error | undefined)?.message ?? ""}`;
  if (/certificate|UnknownIssuer|CaUsedAsEndEntity/i.test(text)) {
    return new HubError(
      `Cannot trust ${host} as its certificate is signed by no authority that is known here: if your network has a ` +
        "certificate of its own, name its file (PEM) in DENO_CERT, SSL_CERT_FILE or REQUESTS_CA_BUNDLE",
    );
  }
  if (/dns error|failed to lookup|name or service not known|nodename nor servname/i.test(text)) {
    return new HubError(
      `Cannot find ${host} as no host of that name is known: check the network and HF_ENDPOINT; behind a proxy, ` +
        "set HTTPS_PROXY",
    );
  }
  return undefined;
}

/** Ends a request to which nothing comes for too long. */
class Patience {
  readonly #controller = new AbortController();
  readonly #ms: number;
  readonly #host: string;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(ms: number, host: string) {
    this.#ms = ms;
    this.#host = host;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** @throws {Interruption} If what is waited for fails, or does not come in time. */
  async hold<T>(promise: Promise<T>): Promise<T> {
    let isLate = false;
    this.#timer = setTimeout(() => {
      isLate = true;
      this.#controller.abort();
    }, this.#ms);
    try {
      return await promise;
    } catch (cause) {
      if (cause instanceof Deno.errors.NotCapable) throw cause;
      const hopeless = hopelessFault(cause as Error, this.#host);
      if (hopeless) throw hopeless;
      const why = isLate
        ? `nothing came from ${this.#host} for ${this.#ms / 1000} s`
        : `the connection to ${this.#host} failed (${(cause as Error).message})`;
      throw new Interruption(why, undefined, { cause });
    } finally {
      clearTimeout(this.#timer);
    }
  }
}

function answer({ status, headers, body }: Response, patience: Patience): HubResponse {
  // Bytes go straight to where they are wanted: a copy of each small chunk would cost as much as the network.
  const reader = body?.getReader({ mode: "byob" });
  return {
    status,
    headers,
    read: async (view) => {
      if (!reader) return view.subarray(0, 0);
      const { value } = await patience.hold(reader.read(view));
      return value ?? new Uint8Array();
    },
    cancel: async () => {
      await reader?.cancel().catch(() => {}); // it may have failed already
    },
  };
}

/** What a Retry-After says, seconds or a date, in ms. */
function retryAfter(headers: Headers): number | undefined {
  const text = headers.get("retry-after");
  if (text === null) return undefined;
  const ms = /^\d+$/.test(text) ? 1000 * Number(text) : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
