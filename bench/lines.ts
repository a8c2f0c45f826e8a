/**
 * Runs a program and gives what it prints, line by line, as JSON; lines that are no JSON objects are passed over.
 *
 * @throws {Error} If it fails, with the end of its standard error.
 */
export async function* linesOf<T>(command: string, args: string[]): AsyncGenerator<T> {
  const child = new Deno.Command(command, {
    args,
    stdout: "piped",
    stderr: "piped",
    env: { XDG_RUNTIME_DIR: Deno.env.get("XDG_RUNTIME_DIR") ?? "/tmp" },
  }).spawn();
  const complaints = new Response(child.stderr).text();
  let text = "";
  for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (text + part).split("\n");
    text = lines.pop()!;
    for (const line of lines) if (line.startsWith("{")) yield JSON.parse(line) as T;
  }
  const { success } = await child.status;
  if (!success) {
    throw new Error(
      `${args[0] === "run" ? args.find((it) => /\.ts$/.test(it)) : args[0]} failed: ${
        (await complaints).slice(-2000)
      }`,
    );
  }
}
