/// <reference lib="deno.worker" />
// The engine's worker with a fault in it: what the query of this module's URL names happens at a prompt of 3 tokens.
import type { Engine } from "../../src/engine/engine.ts";
import type { Request } from "../../src/engine/protocol.ts";
import { idsOf } from "../../src/engine/work.ts";
import { serveEngine } from "../../src/engine/serve_engine.ts";

const fault = new URL(import.meta.url).search;
let engine: Engine | undefined;

const createBuffer = GPUDevice.prototype.createBuffer;
GPUDevice.prototype.createBuffer = function (descriptor) {
  const isRefused = isFaultyTurn && descriptor.label?.startsWith("patterns") &&
    (fault === "?full" || (fault === "?tight" && refusals === 0));
  if (isRefused) refusals++;
  const size = isRefused ? this.limits.maxBufferSize + 4 : descriptor.size;
  return createBuffer.call(this, { ...descriptor, size });
};

let isFaultyTurn = false;
let refusals = 0;

serveEngine(self, (started) => engine = started);
const serve = self.onmessage!;
self.onmessage = (event: MessageEvent): void => {
  const request = event.data as Request;
  isFaultyTurn = request.call === "answer" &&
    request.argument.requests.some(({ work }) => idsOf(work).length === 3);
  if (isFaultyTurn && fault === "?lost") engine!.destroy();
  if (isFaultyTurn && fault === "?crash") {
    setTimeout(() => {
      throw new Error("a fault for the test");
    });
    return;
  }
  serve.call(self, event);
};
