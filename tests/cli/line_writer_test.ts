import assert from "node:assert/strict";
import { LineWriter } from "../../src/cli/line_writer.ts";

/** A pipe that takes nothing until it is read. */
class Pipe {
  text = "";
  readonly #open = Promise.withResolvers<void>();

  async write(bytes: Uint8Array): Promise<number> {
    await this.#open.promise;
    this.text += new TextDecoder().decode(bytes);
    return bytes.length;
  }

  read(): void {
    this.#open.resolve();
  }
}

Deno.test("lines that nobody reads are kept up to a MiB; the next is dropped and counted, which is told later", async () => {
  const pipe = new Pipe();
  const writer = new LineWriter(pipe);
  const line = "x".repeat(1023); // 1 KiB with its end
  for (let i = 0; i < 1024; i++) writer.write(line);
  assert.equal(writer.dropped, 0);
  writer.write(line);
  assert.equal(writer.dropped, 1);
  await writer.flush(10); // nobody waits for it any longer
  pipe.read();
  await writer.flush(5000);
  await writer.flush(5000);
  const lines = pipe.text.trimEnd().split("\n");
  assert.equal(lines.filter((written) => written === line).length, 1024);
  assert.equal(JSON.parse(lines.at(-1)!).dropped, 1);
  writer.write("and on it goes");
  await writer.flush(5000);
  assert(pipe.text.endsWith("and on it goes\n"));
});

Deno.test("a log that is gone is no fault", async () => {
  const writer = new LineWriter({ write: () => Promise.reject(new Error("broken pipe")) });
  writer.write("a");
  writer.write("b");
  await writer.flush(5000);
  assert.equal(writer.dropped, 2);
});
