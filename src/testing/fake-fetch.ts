/**
 * A fetch that answers from a function: no network. It hands over a real Request, honours its abort signal as fetch does
 * (while waiting and while the body is read), and turns a thrown error into a rejection.
 */
export const fakeFetch =
  (answer: (request: Request) => Response | Promise<Response>): typeof globalThis.fetch =>
  async (input, init) => {
    const request = new Request(input, init);
    const { signal } = request;
    signal.throwIfAborted();
    const response = await untilAborted(signal, Promise.resolve(request).then(answer));
    Object.defineProperty(response, 'url', { value: request.url, configurable: true });
    return response;
  };

/** What fetch rejects with when no connection could be made: nothing was sent. */
export const connectionRefused = (): TypeError =>
  new TypeError('fetch failed', { cause: Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }) });

/** What fetch rejects with when the connection broke under a request: it may have been processed. */
export const connectionReset = (): TypeError =>
  new TypeError('fetch failed', { cause: Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }) });

const untilAborted = <T>(signal: AbortSignal, work: Promise<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
