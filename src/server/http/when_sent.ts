/** A smaller answer is sent in one write, see `sendResponse`. */
export const SMALL_ANSWER = 16 * 1024;

/** Whether an answer is small, by its Content-Length. */
export function isSmall({ headers }: Response): boolean {
  return Number(headers.get("content-length") ?? Infinity) <= SMALL_ANSWER;
}

/**
 * Reports when an answer was sent or aborted. A small one counts as sent at once.
 *
 * @param response An answer whose body is not read yet.
 * @param done Called once.
 */
export function whenSent(response: Response, done: () => void): Response {
  if (isSmall(response) || !response.body) {
    done();
    return response;
  }
  const reader = response.body.getReader();
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done: isAll, value } = await reader.read();
        if (!isAll) return controller.enqueue(value);
        controller.close();
      } catch (error) {
        controller.error(error);
      }
      done();
    },
    async cancel(reason) {
      done();
      await reader.cancel(reason);
    },
  }, { highWaterMark: 0 });
  return new Response(body, response);
}
