import { Random } from "../support/random.ts";
import { withServer } from "../support/serve.ts";
import { Client } from "../promises/client.ts";
import type { LoadOptions, LoadReport } from "./load.ts";
import { withLongModel } from "./model.ts";
import { bodyFor, promptsFor, readAnswer } from "./prompts.ts";

/** How much of it. */
export interface SoakOptions {
  readonly seed: number;
  readonly seconds: number;
  readonly prompts: number;
  readonly longest: number;
  readonly say?: (line: string) => void;
}

/** What came of it. */
export interface SoakReport {
  /** Answers a second that the server gives to as many clients as it needs. */
  readonly servable: number;
  readonly load: LoadReport;
  /** Memory of the server's process while it was loaded, once a second, in bytes. */
  readonly resident: readonly number[];
  /** Lines of the log that are no requests. */
  readonly news: readonly string[];
  readonly exitCode: number;
}

/** Patterns of some of the prompts fit, not of all. */
const CACHE_MIB = 64;
const HOT = 10;
/** Of all clients a quarter leaves, and a tenth reads slowly. */
const CLIENTS = 160;
const LEAVING = CLIENTS / 4;
const SLOW = CLIENTS / 10;

/**
 * Loads a server with twice what it can serve: prompts of 2 to `longest` tokens, half of them in its cache. What is
 * right to answer was asked of the same server one by one before.
 */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { seed, seconds, longest, say = () => {} } = options;
  let report: SoakReport | undefined;
  await withLongModel(async (model) => {
    const args = ["--model", model, "--cache-mib", String(CACHE_MIB), "--log", "json"];
    await withServer(async ({ origin, stop, log }) => {
      const prompts = promptsFor(options.prompts, longest, new Random(seed));
      const expected: [string, string][] = [];
      for (const prompt of prompts) expected.push([prompt, await ask(origin, prompt)]);
      say(`${expected.length} prompts were answered one by one`);
      const load = { expected, hot: HOT, seed, connections: 16, seconds: Math.min(20, seconds) };
      const { right, seconds: took } = await runLoad(origin, load);
      const servable = right / took;
      say(`${servable.toFixed(1)} requests a second can be served; ${seconds} s at twice that`);
      const resident: number[] = [];
      const watch = setInterval(async () => resident.push(await residentBytes(origin)), 1000);
      const overload = {
        ...load,
        seed: seed + 1,
        seconds,
        connections: CLIENTS - LEAVING - SLOW,
        bad: { leaving: LEAVING, slow: SLOW },
        rate: Math.ceil(2 * servable),
      };
      const loaded = await runLoad(origin, overload);
      clearInterval(watch);
      await new Client(origin).assertQuiet();
      const news = log().split("\n").filter((line) => line && !line.includes('"event":"request"'));
      report = { servable, load: loaded, resident, news, exitCode: await stop() };
    }, { args });
  });
  return report!;
}

async function ask(origin: string, prompt: string): Promise<string> {
  const response = await fetch(`${origin}/graphql`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: bodyFor(prompt),
  });
  const answer = readAnswer(await response.text());
  if (!answer || !("arrow" in answer)) throw new Error(`no answer but ${JSON.stringify(answer)}`);
  return answer.arrow;
}

async function runLoad(origin: string, options: LoadOptions): Promise<LoadReport> {
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    await Deno.writeTextFile(file, JSON.stringify(options));
    const script = new URL("load.ts", import.meta.url).pathname;
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", script, origin, file],
    }).output();
    const decoder = new TextDecoder();
    if (!success) throw new Error(decoder.decode(stderr));
    return JSON.parse(decoder.decode(stdout).trim().split("\n").at(-1)!);
  } finally {
    await Deno.remove(file);
  }
}

async function residentBytes(origin: string): Promise<number> {
  const text = await (await fetch(`${origin}/metrics`)).text();
  return Number(text.match(/^infoflow_resident_bytes (\S+)/m)![1]);
}
