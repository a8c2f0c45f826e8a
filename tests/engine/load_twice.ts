// A process that loads the bundled model, so that the driver has what it needs, and then the model in the directory that
// it is called with, and prints the most that it held while it did.
import { createEngine } from "../../src/thread/create_engine.ts";
import { BUNDLED } from "../support/fixtures.ts";

(await createEngine({ directory: BUNDLED, cacheBytes: 0 })).destroy();
const before = Deno.memoryUsage().rss;
let most = before;
const look = (): void => void (most = Math.max(most, Deno.memoryUsage().rss));
const engine = await createEngine({ directory: Deno.args[0]!, cacheBytes: 0, onProgress: look });
look();
engine.destroy();
console.log(JSON.stringify({ held: most - before }));
