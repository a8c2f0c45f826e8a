const PYTHON = new URL("../../.venv/bin/python", import.meta.url).pathname;

/** A Python program that takes batches of bytes and prints a line of JSON for each batch. */
export class VerdictReader implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncGenerator<string>;

  constructor(script: string) {
    this.#child = new Deno.Command(PYTHON, {
      args: [script],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#lines = linesOf(this.#child.stdout);
  }

  /** What it says of each. */
  async ask(batch: readonly Uint8Array[]): Promise<string[]> {
    const size = batch.reduce((sum, { length }) => sum + 4 + length, 4);
    const message = new Uint8Array(size);
    const view = new DataView(message.buffer);
    view.setUint32(0, batch.length, true);
    let at = 4;
    for (const bytes of batch) {
      view.setUint32(at, bytes.length, true);
      message.set(bytes, at + 4);
      at += 4 + bytes.length;
    }
    await this.#writer.write(message);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the reference ended: it could not read a batch");
    return JSON.parse(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#lines.return(undefined);
    await this.#child.status;
  }
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}
