/**
 * How long the methods of flow take beside a forward pass, on a random model of GPT-2 small's shape:
 *
 *     deno run -A bench/methods.ts [--tokens 256] [--model DIR]
 *
 * A forward pass is a flow of a prompt that is not cached. `follow-up` is the method on a prompt whose streams are
 * there; `again` is the same with another option, from the matrices that it left. Best of some rounds.
 */
import { parseArgs } from "node:util";
import { createEngine } from "../src/thread/create_engine.ts";
import { type FlowOptions } from "../src/requests/flow_options.ts";
import { type Method, METHODS } from "../src/requests/flow_methods.ts";

const { values } = parseArgs({
  options: {
    tokens: { type: "string", default: "256" },
    model: {
      type: "string",
      default: new URL("../.cache/gpt2-small-shape", import.meta.url).pathname,
    },
    rounds: { type: "string", default: "3" },
    methods: { type: "string", default: METHODS.filter((it) => it !== "VALUE_ZEROING").join() },
  },
});
const tokens = Number(values.tokens);
const rounds = Number(values.rounds);
const engine = await createEngine({ directory: values.model, cacheBytes: 2 ** 31 });
const { vocabulary } = engine.info.architecture;
let seed = 1;
const prompt = (): number[] => {
  seed++;
  return Array.from({ length: tokens }, (_, t) => (t * 7919 + seed * 104729) % vocabulary);
};
const time = async (work: () => Promise<unknown>): Promise<number> => {
  const began = performance.now();
  await work();
  return performance.now() - began;
};
const options = (method: Method): FlowOptions => {
  return { byLayer: true, aggregation: "MEAN", bos: "DROP", method };
};

const best = (times: readonly number[]): number => Math.min(...times);
const say = (name: string, ms: number, forward: number): void =>
  console.log(
    `${name.padEnd(32)} ${ms.toFixed(0).padStart(7)} ms ${(ms / forward).toFixed(2).padStart(6)}`,
  );

const forward: number[] = [];
await engine.flow(prompt(), options("ATTENTION"));
for (let round = 0; round < rounds; round++) {
  forward.push(await time(() => engine.flow(prompt(), options("ATTENTION"))));
}
console.log(`${engine.info.device.description}, T = ${tokens}`);
say("forward pass", best(forward), best(forward));
for (const method of values.methods.split(",") as Method[]) {
  if (method === "ATTENTION") continue;
  await engine.flow(prompt(), options(method)); // compiles
  const times = { streams: [] as number[], followUp: [] as number[], again: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    const ids = prompt();
    await engine.flow(ids, options("ATTENTION"));
    times.streams.push(await time(() => engine.ask("nextTokens", { ids, k: 1 })));
    times.followUp.push(await time(() => engine.flow(ids, options(method))));
    times.again.push(await time(() => engine.flow(ids, { ...options(method), byLayer: false })));
  }
  say(`${method} follow-up`, best(times.followUp), best(forward));
  say(`${method} again`, best(times.again), best(forward));
  if (method === METHODS[1]) say("streams and next token", best(times.streams), best(forward));
}
Deno.exit(0);
