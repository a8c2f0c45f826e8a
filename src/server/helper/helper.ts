import { InfoflowError } from "../../errors.ts";
import type { HelperCalls, HelperReply, HelperRequest } from "./protocol.ts";

interface Pending {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/**
 * A thread for work that would block the main thread: the Arrow of large matrices, the tokens of long texts. It is
 * started at its first use, and again if it crashes.
 */
export class Helper {
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #nextId = 0;

  /**
   * Calls the thread.
   *
   * @param buffers Buffers of the argument that the thread takes: they can't be used here any more. What is not among
   *   them is copied at one go, and of an array that is part of a buffer the whole buffer.
   * @throws {InfoflowError} What it throws; BAD_USER_INPUT and its like where they are meant for clients.
   */
  async ask<Name extends keyof HelperCalls>(
    call: Name,
    argument: HelperCalls[Name]["argument"],
    buffers: ArrayBuffer[] = [],
  ): Promise<HelperCalls[Name]["result"]> {
    const id = this.#nextId++;
    const { promise, resolve, reject } = Promise.withResolvers<HelperCalls[Name]["result"]>();
    this.#pending.set(id, { resolve: resolve as Pending["resolve"], reject });
    this.#started().postMessage({ id, call, argument } as HelperRequest, buffers);
    return await promise;
  }

  /** Ends the thread; open calls are never answered. */
  close(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
  }

  #started(): Worker {
    if (this.#worker) return this.#worker;
    const url = new URL("./helper_worker.ts", import.meta.url);
    const worker = this.#worker = new Worker(url, { type: "module", name: "helper" });
    worker.onmessage = ({ data }) => this.#receive(data as HelperReply);
    worker.onerror = (event) => {
      event.preventDefault();
      this.close();
      for (const { reject } of this.#pending.values()) {
        reject(new Error(`the helping thread crashed: ${event.message}`));
      }
      this.#pending.clear();
    };
    return worker;
  }

  #receive(reply: HelperReply): void {
    const pending = this.#pending.get(reply.id);
    this.#pending.delete(reply.id);
    if ("result" in reply) return pending?.resolve(reply.result);
    const { code, message, details } = reply;
    pending?.reject(code ? new InfoflowError(code, message, details) : new Error(message));
  }
}
