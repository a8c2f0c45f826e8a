// A process that asks an engine a thousand times, for memory_test.ts, and prints what it holds on the way.
import { createEngine } from "../../src/thread/create_engine.ts";
import { AGGREGATIONS, BOS_POLICIES } from "../../src/requests/flow_options.ts";
import { BUNDLED } from "../support/fixtures.ts";
import { Random } from "../support/random.ts";

const REQUESTS = 1000;
/** Few enough bytes that most prompts push others out. */
const CACHE_BYTES = 16 * 2 ** 20;

let live = 0;
count(GPUDevice.prototype, "createBuffer", ({ size }: GPUBuffer) => size);
count(
  GPUDevice.prototype,
  "createTexture",
  ({ width, height, depthOrArrayLayers }: GPUTexture) => 16 * width * height * depthOrArrayLayers,
);

const engine = await createEngine({ directory: BUNDLED, cacheBytes: CACHE_BYTES });
const { context, vocabulary } = engine.info.architecture;
const random = new Random(7);
for (let request = 1; request <= REQUESTS; request++) {
  // Short prompts are asked more often than long ones, as people do; the longest is among the first.
  const share = request === 1 ? 1 : random.uniform() ** 3;
  const length = 2 + Math.floor((context - 2) * share);
  const ids = Array.from({ length }, () => random.below(vocabulary));
  const options = {
    byLayer: random.uniform() < 0.5,
    aggregation: AGGREGATIONS[random.below(AGGREGATIONS.length)]!,
    bos: BOS_POLICIES[random.below(BOS_POLICIES.length)]!,
  };
  await engine.flow(ids, options);
  // Typed on, and asked again.
  if (length < context) await engine.flow([...ids, random.below(vocabulary)], options);
  if (request % 100 === 0) {
    const { rss } = Deno.memoryUsage();
    console.log(JSON.stringify({ request, rss, live, evictions: engine.cacheStats.evictions }));
  }
}
engine.destroy();

// deno-lint-ignore no-explicit-any -- any method of any prototype
function count(prototype: any, name: string, bytesOf: (made: any) => number): void {
  const original = prototype[name];
  prototype[name] = function (...args: unknown[]): unknown {
    const made = original.apply(this, args);
    const bytes = bytesOf(made);
    live += bytes;
    const { destroy } = Object.getPrototypeOf(made);
    let isLive = true;
    made.destroy = (): void => {
      if (isLive) live -= bytes;
      isLive = false;
      destroy.call(made);
    };
    return made;
  };
}
