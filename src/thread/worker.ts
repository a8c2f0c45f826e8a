/// <reference lib="deno.worker" />
import { serveEngine } from "./worker_loop.ts";

serveEngine(self);
// Loads the driver while the main thread finds out what this one is to load.
navigator.gpu?.requestAdapter().catch(() => {});
