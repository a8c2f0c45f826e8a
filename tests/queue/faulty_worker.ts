/// <reference lib="deno.worker" />
// The engine's worker with a fault in it: what the query of this module's URL names happens at a prompt of 3 tokens.
import type { Engine } from "../../src/engine/engine.ts";
import type { Request } from "../../src/thread/protocol.ts";
import { idsOf } from "../../src/requests/engine_request.ts";
import { serveEngine } from "../../src/thread/worker_loop.ts";

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

/** The worker that takes over finds the mark, and a driver that refuses its shaders, once. */
const mark = new URLSearchParams(fault).get("refused");
if (mark && hasMark(mark)) {
  Deno.removeSync(mark);
  GPUDevice.prototype.createComputePipelineAsync = () =>
    Promise.reject(new Error("the shader is refused, for the test"));
}

const submit = GPUQueue.prototype.submit;
GPUQueue.prototype.submit = function (commands): undefined {
  const isBroken = fault === "?broken" && wasFaulty ||
    fault.startsWith("?hiccup") && isFaultyTurn && !hadOne;
  if (isBroken) {
    hadOne = true;
    throw new Error("a submission that fails, for the test");
  }
  submit.call(this, commands);
};

let wasFaulty = false;
let hadOne = false;
let isFaultyTurn = false;
let refusals = 0;

serveEngine(self, (started) => engine = started);
const serve = self.onmessage!;
self.onmessage = (event: MessageEvent): void => {
  const request = event.data as Request;
  // Its submissions would be taken for those of a request.
  if (request.call === "timePass") return self.postMessage({ id: request.id, result: 1 });
  isFaultyTurn = request.call === "answer" &&
    request.argument.requests.some(({ work }) => idsOf(work).length === 3);
  wasFaulty ||= isFaultyTurn;
  if (fault === "?hiccups") hadOne = false; // at each prompt of 3 tokens, not at the first only
  if (isFaultyTurn && mark) Deno.writeTextFileSync(mark, "");
  if (isFaultyTurn && fault === "?lost") engine!.destroy();
  if (isFaultyTurn && (fault === "?crash" || mark)) {
    setTimeout(() => {
      throw new Error("a fault for the test");
    });
    return;
  }
  serve.call(self, event);
};

function hasMark(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
