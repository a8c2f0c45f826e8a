import type { Random } from "../support/random.ts";
import { bodyFor } from "./prompts.ts";

/** Clients that ask as others do, and leave before they are answered, or read a little at a time. */
export interface BadClients {
  /** How many ask and leave, over and over. */
  readonly leaving: number;
  /** How many read slowly, over and over. */
  readonly slow: number;
}

const LONGEST_STAY_MS = 500;
const SIP = 16 * 1024;
const SIP_MS = 20;

/** @returns How often somebody left, and how many answers were read slowly, until it is over. */
export async function behaveBadly(
  origin: string,
  prompts: readonly string[],
  { leaving, slow, random, isOver }: BadClients & {
    readonly random: Random;
    readonly isOver: () => boolean;
  },
): Promise<{ left: number; readSlowly: number }> {
  const port = Number(new URL(origin).port);
  let [left, readSlowly] = [0, 0];
  const ask = async (): Promise<Deno.TcpConn> => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const body = new TextEncoder().encode(bodyFor(prompts[random.below(prompts.length)]!));
    const head = `POST /graphql HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: close\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
    await connection.write(new TextEncoder().encode(head));
    await connection.write(body);
    return connection;
  };
  const overAndOver = async (once: () => Promise<void>): Promise<void> => {
    while (!isOver()) await once().catch(() => wait(100));
  };
  const leave = async (): Promise<void> => {
    using _ = await ask();
    await wait(random.uniform() * LONGEST_STAY_MS);
    left++;
  };
  const sip = async (): Promise<void> => {
    using connection = await ask();
    const buffer = new Uint8Array(SIP);
    while (!isOver() && await connection.read(buffer) !== null) await wait(SIP_MS);
    readSlowly++;
  };
  await Promise.all([
    ...Array.from({ length: leaving }, () => overAndOver(leave)),
    ...Array.from({ length: slow }, () => overAndOver(sip)),
  ]);
  return { left, readSlowly };
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
