/** Where Firefox is; nothing where there is none. */
export async function firefoxPath(): Promise<string | undefined> {
  for (const directory of (Deno.env.get("PATH") ?? "").split(":")) {
    for (const name of ["firefox-esr", "firefox"]) {
      const path = `${directory}/${name}`;
      if (await Deno.stat(path).then(({ isFile }) => isFile, () => false)) return path;
    }
  }
  return undefined;
}

/** A tab of Firefox, driven by WebDriver BiDi, which Playwright can't speak with Debian's. */
export interface FirefoxPage {
  /** Runs an expression in the page until it is true. */
  until(expression: string): Promise<void>;
  /** What an expression in the page says, as JSON. */
  read(expression: string): Promise<unknown>;
  /** Goes to an address. */
  go(url: string): Promise<void>;
  /** Presses keys, one after the other. */
  press(...keys: string[]): Promise<void>;
  /** Errors and warnings on the console. */
  readonly complaints: readonly string[];
}

const PATIENCE = 30_000;

/** Opens an address in a Firefox of its own for as long as `use` runs. */
export async function withFirefox(
  path: string,
  url: string,
  use: (page: FirefoxPage) => Promise<void>,
): Promise<void> {
  const profile = await Deno.makeTempDir();
  const child = new Deno.Command(path, {
    args: ["--headless", "--profile", profile, "--no-remote", "--remote-debugging-port", "0"],
    stdout: "null",
    stderr: "piped",
  }).spawn();
  try {
    const { socket, rest } = await connect(child.stderr);
    await drive(socket, url, use);
    socket.close();
    await rest.cancel();
  } finally {
    child.kill("SIGKILL");
    await child.status;
    await Deno.remove(profile, { recursive: true }).catch(() => {});
  }
}

async function connect(
  stderr: ReadableStream<Uint8Array>,
): Promise<{ socket: WebSocket; rest: ReadableStreamDefaultReader<Uint8Array> }> {
  const rest = stderr.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let address: string | undefined;
  while (!(address = text.match(/WebDriver BiDi listening on (\S+)/)?.[1])) {
    const { done, value } = await rest.read();
    if (done) throw new Error(`Firefox ended before it listened: ${text}`);
    text += decoder.decode(value, { stream: true });
  }
  const socket = new WebSocket(`${address}/session`);
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error(`Cannot connect to Firefox at ${address}`));
  });
  return { socket, rest };
}

async function drive(
  socket: WebSocket,
  url: string,
  use: (page: FirefoxPage) => Promise<void>,
): Promise<void> {
  type Reply = { id?: number; type: string; result?: unknown; message?: string; params?: Log };
  type Log = { level: string; text: string };
  const waiting = new Map<number, (reply: Reply) => void>();
  const complaints: string[] = [];
  let last = 0;
  socket.onmessage = ({ data }) => {
    const reply = JSON.parse(data) as Reply;
    if (reply.id !== undefined) return waiting.get(reply.id)?.(reply);
    const { level, text } = reply.params ?? { level: "", text: "" };
    if (level === "error" || level === "warn") complaints.push(text);
  };
  const send = async <Result>(method: string, params: unknown): Promise<Result> => {
    const id = ++last;
    const { promise, resolve } = Promise.withResolvers<Reply>();
    waiting.set(id, resolve);
    socket.send(JSON.stringify({ id, method, params }));
    const reply = await promise;
    waiting.delete(id);
    if (reply.type === "error") throw new Error(`${method}: ${reply.message}`);
    return reply.result as Result;
  };
  await send("session.new", { capabilities: {} });
  await send("session.subscribe", { events: ["log.entryAdded"] });
  const { context } = await send<{ context: string }>("browsingContext.create", { type: "tab" });
  await send("browsingContext.setViewport", { context, viewport: { width: 1280, height: 800 } });
  const go = async (url: string): Promise<void> => {
    await send("browsingContext.navigate", { context, url, wait: "complete" });
  };
  await go(url);
  const read = async (expression: string): Promise<unknown> => {
    const { result } = await send<{ result: { value?: string } }>("script.evaluate", {
      expression: `JSON.stringify(${expression})`,
      target: { context },
      awaitPromise: true,
    });
    return result.value === undefined ? undefined : JSON.parse(result.value);
  };
  const until = async (expression: string): Promise<void> => {
    const end = performance.now() + PATIENCE;
    while (await read(`!!(${expression})`) !== true) {
      if (performance.now() > end) throw new Error(`Firefox waited in vain for ${expression}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const press = async (...keys: string[]): Promise<void> => {
    const actions = keys.flatMap((value) => [{ type: "keyDown", value }, { type: "keyUp", value }]);
    await send("input.performActions", {
      context,
      actions: [{ type: "key", id: "keys", actions }],
    });
  };
  await use({ read, until, go, press, complaints });
}
