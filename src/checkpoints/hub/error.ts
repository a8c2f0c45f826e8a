/** An error of the hub or its cache; the text says what to do. */
export class HubError extends Error {
  override readonly name = "HubError";

  /** @param status The status of the answer that is to blame, if one is. */
  constructor(message: string, readonly status?: number, options?: ErrorOptions) {
    super(message, options);
  }
}
