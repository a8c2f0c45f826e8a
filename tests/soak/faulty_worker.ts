/// <reference lib="deno.worker" />
// The engine's worker with faults that happen when a prompt asks for them.
import type { Engine } from "../../src/engine/engine.ts";
import type { Request } from "../../src/thread/protocol.ts";
import { serveEngine } from "../../src/thread/worker_loop.ts";
import { idsOf } from "../../src/requests/engine_request.ts";
import { encode } from "../../src/tokens/vocabulary.ts";
import { type Fault, FAULTS, promptFor } from "./fault.ts";

const asked = new Map<string, Fault>(
  FAULTS.map((fault) => [encode(promptFor(fault)).join(), fault]),
);
let engine: Engine | undefined;
let refusals = 0;

const { createBuffer } = GPUDevice.prototype;
GPUDevice.prototype.createBuffer = function (descriptor) {
  const isRefused = refusals > 0 && descriptor.label?.startsWith("patterns");
  if (isRefused) refusals--;
  const size = isRefused ? this.limits.maxBufferSize + 4 : descriptor.size;
  return createBuffer.call(this, { ...descriptor, size });
};

serveEngine(self, (started) => engine = started);
const serve = self.onmessage!;
self.onmessage = (event: MessageEvent): void => {
  const request = event.data as Request;
  const fault = request.call === "answer"
    ? request.argument.requests.map(({ work }) => asked.get(idsOf(work).slice(1).join())).find(
      Boolean,
    )
    : undefined;
  if (fault === "device destroyed") engine!.destroy();
  if (fault === "allocation failed") refusals = 1000;
  else refusals = 0;
  if (fault === "worker killed") {
    setTimeout(() => {
      throw new Error("killed by the test");
    });
    return;
  }
  serve.call(self, event);
};
