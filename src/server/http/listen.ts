/** What answers requests. */
export interface RequestHandler {
  fetch(request: Request): Promise<Response>;
}

/** An address to listen on. */
export interface Address {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
}

/**
 * Listens on an address, and hands its requests on.
 *
 * @throws {Error} If the address can't be had.
 */
export function listen(
  handler: RequestHandler,
  { host, port }: Address,
): Deno.HttpServer<Deno.NetAddr> {
  try {
    return Deno.serve(
      { hostname: host, port, onListen: () => {} },
      (request) => handler.fetch(request),
    );
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new Error(
        `Cannot listen on ${host}:${port} as another program does: choose another --port, or 0 for a free one`,
      );
    }
    if (error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.AddrNotAvailable) {
      throw new Error(`Cannot listen on ${host}:${port}: ${error.message}`);
    }
    throw error;
  }
}
