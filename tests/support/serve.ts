const ROOT = new URL("../../", import.meta.url);

/** A server that was started as a user starts it. */
export interface RunningServer {
  /** Such as `http://127.0.0.1:43210`. */
  readonly origin: string;
  /** What it printed until it was ready. */
  readonly startLines: readonly string[];
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
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  try {
    const { startLines, rest } = await untilReady(child.stdout);
    const origin = startLines.join("\n").match(/page +(http:\S+)\//)![1]!;
    await use({ origin, startLines });
    await rest.cancel();
  } finally {
    child.kill("SIGTERM");
    await child.status;
  }
}

async function untilReady(
  stdout: ReadableStream<Uint8Array>,
): Promise<{ startLines: string[]; rest: ReadableStreamDefaultReader<Uint8Array> }> {
  const rest = stdout.getReader();
  const decoder = new TextDecoder();
  let text = "";
  while (!/ Arrow .*\n/.test(text)) {
    const { done, value } = await rest.read();
    if (done) throw new Error(`the server ended before it was ready: ${text}`);
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
