import type { LogFormat } from "../observe/log.ts";
import type { RequestLimits } from "./request_scope.ts";
import type { Neighbours } from "./strangers.ts";

/** Options of the log. */
export interface LineOptions {
  readonly format: LogFormat;
  /** Whether each request gets a line. */
  readonly requests: boolean;
  /** Whether the line has the prompts. */
  readonly prompts: boolean;
}

/** Errors only. */
export const FEW_LINES: LineOptions = { format: "text", requests: false, prompts: false };

/** The policy of a server: which clients it answers, and the limits of a request. */
export interface Policy extends Neighbours, RequestLimits {
  /** The token that requests must have, if any. */
  readonly token: string | undefined;
  /** The most bytes of all open answers. */
  readonly bytesInFlight: number;
  readonly introspection: boolean;
  readonly graphiql: boolean;
}

const MIB = 2 ** 20;

/** The policy of a server on loopback. */
export const DEFAULT_POLICY: Policy = {
  host: "127.0.0.1",
  names: [],
  origins: [],
  token: undefined,
  passes: 4,
  deadline: 30_000,
  answerBytes: 256 * MIB,
  bytesInFlight: 512 * MIB,
  introspection: true,
  graphiql: true,
};
