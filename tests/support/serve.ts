const ROOT = new URL("../../", import.meta.url);

/** A server that was started as a user starts it. */
export interface RunningServer {
  /** Such as `http://127.0.0.1:43210`. */
  readonly origin: string;
  /** What it printed until it was ready. */
  readonly startLines: readonly string[];
  /** What it has written to stderr so far. */
  readonly log: () => string;
  /** Asks it to end, and waits until it has: its exit status. */
  stop(signal?: Deno.Signal): Promise<number>;
  /** Ends its standard input, and waits until it has ended: its exit status. */
  endInput(): Promise<number>;
}

/**
 * Starts `deno task serve` on a free port for as long as `use` runs.
 *
 * @throws {Error} With what it said, if it ends before it is ready.
 */
export async function withServer(
  use: (server: RunningServer) => Promise<void>,
  { args = [], env = {} }: { args?: string[]; env?: Record<string, string> } = {},
): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "serve", "--port", "0", ...args],
    cwd: ROOT,
    env,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stderr = collect(child.stderr);
  try {
    const { startLines, rest } = await untilReady(child.stdout, stderr.text);
    const origin = startLines.join("\n").match(/page +(http:\S+)\//)![1]!;
    const stop = async (signal: Deno.Signal = "SIGTERM"): Promise<number> => {
      child.kill(signal);
      return (await child.status).code;
    };
    const endInput = async (): Promise<number> => {
      await child.stdin.close();
      return (await child.status).code;
    };
    await use({ origin, startLines, log: stderr.text, stop, endInput });
    await rest.cancel();
  } finally {
    try {
      child.kill("SIGTERM");
    } catch {
      // it has ended
    }
    await child.status;
    await stderr.done;
  }
}

function collect(stream: ReadableStream<Uint8Array>): { text: () => string; done: Promise<void> } {
  const decoder = new TextDecoder();
  let text = "";
  const read = async (): Promise<void> => {
    for await (const bytes of stream) text += decoder.decode(bytes, { stream: true });
  };
  return { text: () => text, done: read() };
}

async function untilReady(
  stdout: ReadableStream<Uint8Array>,
  stderr: () => string,
): Promise<{ startLines: string[]; rest: ReadableStreamDefaultReader<Uint8Array> }> {
  const rest = stdout.getReader();
  const decoder = new TextDecoder();
  let text = "";
  while (!/ Arrow .*\n/.test(text)) {
    const { done, value } = await rest.read();
    if (done) throw new Error(`the server ended before it was ready: ${text}${stderr()}`);
    text += decoder.decode(value, { stream: true });
  }
  return { startLines: text.trimEnd().split("\n"), rest };
}
/** What a command left when it ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a task of the project to its end. */
export async function runTask(
  task: string,
  args: string[],
  { env = {} }: { env?: Record<string, string> } = {},
): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", task, ...args],
    cwd: ROOT,
    env,
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
