/// <reference lib="deno.worker" />
import { serveEngine } from "./serve_engine.ts";

serveEngine(self);
