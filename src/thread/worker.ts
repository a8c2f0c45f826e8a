/// <reference lib="deno.worker" />
import { serveEngine } from "./worker_loop.ts";

serveEngine(self);
