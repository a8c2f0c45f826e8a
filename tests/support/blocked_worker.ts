/// <reference lib="deno.worker" />
// The engine's worker, which answers no request: it begins the first batch, and that is all.
import { CancelFlags } from "../../src/thread/cancel_flags.ts";
import type { Request } from "../../src/thread/protocol.ts";
import { serveEngine } from "../../src/thread/worker_loop.ts";

let flags = new CancelFlags();
let isBusy = false;

serveEngine(self);
const serve = self.onmessage!;
self.onmessage = (event: MessageEvent): void => {
  const request = event.data as Request;
  if (request.call === "start") flags = new CancelFlags(request.argument.flags);
  if (request.call !== "answer") return serve.call(self, event);
  if (!isBusy) { for (const { slot } of request.argument.requests) flags.begin(slot); }
  isBusy = true;
};
